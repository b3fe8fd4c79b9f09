import { useLoad } from '../api';
import type { ResultOf } from '../api';
import { AuditLabelsQuery } from './operations';

/** The labels of the API for the names of its enums, by what they name. */
export interface Labels {
  readonly roles: ReadonlyMap<string, string>;
  readonly permissions: ReadonlyMap<string, string>;
  readonly levels: ReadonlyMap<string, string>;
  readonly types: ReadonlyMap<string, string>;
}

const NONE: Labels = { roles: new Map(), permissions: new Map(), levels: new Map(), types: new Map() };

/** Return a name as a label: `METADATA_WRITE` is "Metadata Write". */
export function labelOf(name: string, labels: ReadonlyMap<string, string> = new Map()): string {
  const plain = name.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());
  return labels.get(name) ?? plain.join(' ');
}

function labelsFrom({ permissions, orgLevels, resourceTypes }: ResultOf<typeof AuditLabelsQuery>): Labels {
  const roles = resourceTypes.nodes.flatMap((type) => type.roles);
  return {
    roles: new Map(roles.map(({ role, label }) => [role, label])),
    permissions: new Map(permissions.map(({ permission, label }) => [permission, label])),
    levels: new Map(orgLevels.map(({ level, label }) => [level, label])),
    types: new Map(resourceTypes.nodes.map(({ name, label }) => [name, label])),
  };
}

/** Return the labels; until they are read, those that the names themselves give. */
export function useLabels(): Labels {
  const load = useLoad(AuditLabelsQuery, {});
  return load.status === 'ready' ? labelsFrom(load.data) : NONE;
}
