import type { ResultOf } from '../api';
import { phrase } from '../shared';
import type { AuditObjectQuery, AuditObjectsQuery } from './operations';
import { words } from './words';

type Matches = ResultOf<typeof AuditObjectsQuery>;
type Node = ResultOf<typeof AuditObjectQuery>['node'];

interface Choice {
  readonly value: string;
  readonly label: string;
}

interface Choices {
  readonly group: string;
  readonly items: Choice[];
}

const named = (name: string, key: string): string => (name === key ? name : phrase`${name} (${key})`);

/** Return the name of an object of any kind; null if it is not there. */
export function nameOf(node: Node): string | null {
  switch (node?.__typename) {
    case 'User':
      return named(node.displayName ?? node.userName, node.userName);
    case 'Org':
      return named(node.orgName, node.slug);
    case 'Group':
      return named(node.groupName, node.slug);
    case 'Resource':
      return named(node.name, node.slug);
    case 'Role':
    case 'ApiToken':
      return node.name;
    case 'ResourceType':
      return node.label;
    default:
      return null;
  }
}

/** Return what was found, by kind, without the object that is chosen already. */
export function choicesOf(matches: Matches, chosen: string | undefined): Choices[] {
  const { users, orgs, groups, resources, roles } = matches;
  const parts: readonly (readonly [keyof typeof words.types, readonly NonNullable<Node>[]])[] = [
    ['USER', users.nodes],
    ['ORG', orgs.nodes],
    ['GROUP', groups.nodes],
    ['RESOURCE', resources.nodes],
    ['ROLE', roles.nodes],
  ];
  return parts
    .map(([kind, nodes]) => ({
      group: words.types[kind],
      items: nodes
        .map((node) => ({ value: 'id' in node ? node.id : '', label: nameOf(node) ?? '' }))
        .filter(({ value }) => value !== chosen),
    }))
    .filter(({ items }) => items.length > 0);
}
