import type { ExportedUser } from './operations';
import { DEACTIVATED } from './query';

const text = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);

/** Return the attributes of a user by key. */
export function attributesOf(metadata: unknown): readonly (readonly [string, unknown])[] {
  return typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
    ? Object.entries(metadata)
    : [];
}

/** Return the lines of a CSV file: the fields, then a column for each attribute that somebody has. */
export function linesOf(users: readonly ExportedUser[]): readonly (readonly string[])[] {
  const keys = [...new Set(users.flatMap(({ metadata }) => attributesOf(metadata).map(([key]) => key)))];
  keys.sort((a, b) => a.localeCompare(b, 'en'));
  const fields = ['userName', 'email', 'displayName', 'roles', 'state', 'isServiceAccount', 'createdAt'];
  const head = [...fields, 'lastLoginAt', 'usedBytes', 'quotaBytes', ...keys];
  const lines = users.map((user) => {
    const names = user.roles?.map(({ name }) => name) ?? [];
    const attributes = new Map(attributesOf(user.metadata));
    return [
      user.userName,
      text(user.email),
      text(user.displayName),
      names.join(' '),
      names.includes(DEACTIVATED) ? 'deactivated' : 'active',
      String(user.isServiceAccount),
      user.createdAt,
      text(user.lastLoginAt),
      text(user.storage?.usedBytes),
      text(user.storage?.quotaBytes),
      ...keys.map((key) => text(attributes.get(key))),
    ];
  });
  return [head, ...lines];
}
