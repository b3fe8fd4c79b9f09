import { hasUnsafeNumber } from '../shared/numbers';
import type { ExportedUser } from './operations';
import { words } from './words';

/** The columns of `users.csv` of a declared state. `ostiary apply` reads it; the import takes up to 1,000 users. */
const COLUMNS = ['userName', 'displayName', 'email', 'isServiceAccount', 'roles', 'metadata'] as const;

/** Return names in one cell. A hidden list says nothing, an empty one is `;`, and so ends one name with a space. */
function listOf(names: readonly string[] | undefined): string {
  if (names === undefined) {
    return '';
  }
  const text = names.map((name) => name.replaceAll(/[\\;]/g, '\\$&')).join(';');
  return text === '' || (/\s/.test(text) && !text.includes(';')) ? `${text};` : text;
}

const objectOf = (metadata: unknown): string =>
  typeof metadata === 'object' && metadata !== null && Object.keys(metadata).length > 0
    ? JSON.stringify(metadata)
    : '';

/** Return why users cannot be written as they are, or null. Metadata are null, and email too, if they are hidden. */
export function exportProblem(users: readonly ExportedUser[]): string | null {
  for (const { userName, metadata } of users) {
    if (metadata === null) {
      return words.hiddenFromExport(userName);
    }
    if (hasUnsafeNumber(JSON.stringify(metadata))) {
      return words.unsafeExport(userName);
    }
  }
  return null;
}

/** Return the lines of a CSV file, for users without an `exportProblem`. Reading it again gives the same users. */
export function linesOf(users: readonly ExportedUser[]): readonly (readonly string[])[] {
  const lines = users.map((user) => [
    user.userName,
    user.displayName ?? '',
    user.email ?? '',
    String(user.isServiceAccount),
    listOf(user.roles?.map(({ name }) => name)),
    objectOf(user.metadata),
  ]);
  return [COLUMNS, ...lines];
}
