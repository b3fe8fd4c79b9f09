import type { ExportedUser } from './operations';

/** The columns of `users.csv` of a declared state: what is exported can be imported, planned and applied. */
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

/** Return the lines of a CSV file. Reading it again gives the same users. */
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
