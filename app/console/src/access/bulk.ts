import type { BulkAction, Selected } from '../shared';
import { NO_ROLES } from './draft';
import type { Entry } from './draft';
import type { EntryPart } from './panel';
import type { SubjectKey } from './subjects';
import { words } from './words';

/** What of an entry a dialog sets. */
export type EditPart = 'all' | 'roles' | 'end';

/** A dialog about one row, or about several. */
export interface Editing {
  readonly keys: readonly SubjectKey[];
  readonly part: EditPart;
  readonly title: string;
  readonly about?: string;
  readonly start: Entry;
}

/** Return what several rows get of an entry. */
export const partOf = ({ roles, expiresAt }: Entry, part: EditPart): EntryPart =>
  part === 'roles' ? { roles } : { expiresAt };

const keysOf = (items: readonly Selected[]): readonly SubjectKey[] => items.map(({ id }) => id);

/** The acts on ticked rows: set roles, set end, remove. */
export function bulkActions(
  onEdit: (editing: Editing) => void,
  onRemove: (keys: readonly SubjectKey[]) => void,
): readonly BulkAction[] {
  const edit =
    (part: 'roles' | 'end', title: (count: number) => string, about: string) =>
    (items: readonly Selected[]): void =>
      onEdit({ keys: keysOf(items), part, title: title(items.length), about, start: NO_ROLES });
  return [
    { label: words.rolesOfMany, onRun: edit('roles', words.rolesOfMany, words.rolesOfManyAbout) },
    { label: words.endOfMany, onRun: edit('end', words.endOfMany, words.endOfManyAbout) },
    { label: words.removeMany, isDanger: true, onRun: (items) => onRemove(keysOf(items)) },
  ];
}
