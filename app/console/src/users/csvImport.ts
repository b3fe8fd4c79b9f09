import type { VariablesOf } from '../api';
import type { CreateUsersMutation } from './changes';
import { hasUnsafeNumber } from '../shared/numbers';
import { importWords as words } from './words';

export type NewUser = VariablesOf<typeof CreateUsersMutation>['input']['users'][number];

export const MOST_USERS = 1_000;

export type Parsed<Value> =
  { readonly isRight: true; readonly value: Value } | { readonly isRight: false; readonly problem: string };

const OWN_COLUMNS = new Map([
  ['username', 'userName'],
  ['email', 'email'],
  ['displayname', 'displayName'],
  ['password', 'password'],
  ['passwordhash', 'passwordHash'],
  ['roles', 'roles'],
  ['metadata', 'metadata'],
  ['isserviceaccount', 'isServiceAccount'],
]);

const ownOf = (column: string): string | undefined =>
  OWN_COLUMNS.get(column.toLowerCase().replaceAll(/[\s_-]/g, ''));

/** Cells with the number of their line in the file, from 1: the first, if quoted cells have line ends. */
export interface CsvLine {
  readonly number: number;
  readonly cells: readonly string[];
}

const lineEndsOf = (text: string): number => text.match(/\r\n|\n|\r/g)?.length ?? 0;

const QUOTED = /"(?:[^"]|"")*"/g;

/** Return what separates the cells, by the first line: Excel writes semicolons in many countries, and copies tabs. */
function separatorOf(text: string): string {
  const [first = ''] = text
    .replaceAll(QUOTED, '')
    .trimStart()
    .split(/[\r\n]/, 1);
  return [',', ';', '\t'].find((each) => first.includes(each)) ?? ',';
}

/** Split CSV text into lines of cells. Quoted cells may contain separators, quotation marks and line ends. */
export function parseCsv(text: string): Parsed<CsvLine[]> {
  const lines: CsvLine[] = [];
  let line: string[] = [];
  let number = 1;
  let next = 1;
  const source = text.replace(/^\uFEFF/, '');
  const separator = separatorOf(source);
  const pattern = new RegExp(
    `(?:"((?:[^"]|"")*)"|([^"${separator}\\r\\n]*))(${separator}|\\r\\n|\\n|\\r|$)`,
    'y',
  );
  while (pattern.lastIndex < source.length) {
    const match = pattern.exec(source);
    if (match === null) {
      return { isRight: false, problem: words.openQuote };
    }
    line.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    next += lineEndsOf(match[0]);
    if (match[3] !== separator || pattern.lastIndex >= source.length) {
      lines.push({ number, cells: match[3] === separator ? [...line, ''] : line });
      line = [];
      number = next;
    }
  }
  return { isRight: true, value: lines.filter(({ cells }) => cells.some((each) => each.trim() !== '')) };
}

/** Return the text as it was before an export made it safe for spreadsheets. */
const withoutMark = (text: string): string =>
  /^'+[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? text.slice(1) : text;

/** Return the object of a cell; null for a text that is none. */
function objectOf(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Return the roles of a cell, between spaces; with a semicolon between semicolons alone, where `\;` is one of a name. */
const rolesOf = (text: string): string[] =>
  (text.includes(';') ? (text.match(/(?:\\[\\;]|[^;])+/g) ?? []) : text.split(/\s+/))
    .map((name) => name.replaceAll(/\\([\\;])/g, '$1').trim())
    .filter((name) => name !== '');

interface Line {
  readonly user: NewUser;
  readonly attributes: Record<string, string>;
  metadata: object;
}

/** Take a cell that is not empty into its line. Return what is wrong with it, or null. */
function take(line: Line, column: string, value: string): string | null {
  const own = ownOf(column);
  switch (own) {
    case 'userName':
    case 'email':
    case 'displayName':
    case 'password':
    case 'passwordHash':
      line.user[own] = value;
      return null;
    case 'roles':
      line.user.roles = rolesOf(value);
      return null;
    case 'metadata': {
      const metadata = objectOf(value);
      line.metadata = metadata ?? {};
      return metadata === null ? words.badMetadata : hasUnsafeNumber(value) ? words.unsafeNumber : null;
    }
    case 'isServiceAccount':
      return /^(?:true|false)$/i.test(value) ? null : words.badServiceAccount;
    default:
      line.attributes[column] = value;
      return null;
  }
}

const isSame = (some: readonly string[], others: unknown): boolean => {
  const keys = (names: readonly unknown[]) =>
    [...new Set(names.map((name) => String(name).toLowerCase()))].sort();
  return Array.isArray(others) && JSON.stringify(keys(some)) === JSON.stringify(keys(others));
};

/** Return whether the server would take other roles from the metadata: it prefers them, also to `deactivated`. */
const hasOtherRoles = (roles: NewUser['roles'], metadata: object): boolean =>
  Array.isArray(roles) && 'roles' in metadata && !isSame(roles, metadata.roles);

const isServiceAccount = (columns: readonly string[], cells: readonly string[]): boolean =>
  columns.some(
    (column, index) => ownOf(column) === 'isServiceAccount' && cells[index]?.trim().toLowerCase() === 'true',
  );

/** Read one line. An empty cell says nothing about its field. */
function userOf(columns: readonly string[], cells: readonly string[]): Parsed<NewUser> {
  const line: Line = { user: { userName: '' }, attributes: {}, metadata: {} };
  for (const [index, column] of columns.entries()) {
    const value = withoutMark(cells[index]?.trim() ?? '');
    const problem = value === '' || column === '' ? null : take(line, column, value);
    if (problem !== null) {
      return { isRight: false, problem };
    }
  }
  const metadata = { ...line.metadata, ...line.attributes };
  if (hasOtherRoles(line.user.roles, metadata)) {
    return { isRight: false, problem: words.otherRoles };
  }
  const hasNone = Object.keys(metadata).length === 0;
  return { isRight: true, value: hasNone ? line.user : { ...line.user, metadata } };
}

/** New users with the numbers of their lines, and the number of service accounts, which are left out. */
export interface Imported {
  readonly users: readonly NewUser[];
  readonly lineNumbers: readonly number[];
  readonly serviceAccounts: number;
}

/** Read CSV text as new users. */
export function usersOf(text: string): Parsed<Imported> {
  const parsed = parseCsv(text);
  if (!parsed.isRight) {
    return parsed;
  }
  const [head, ...all] = parsed.value;
  const columns = head?.cells.map((name) => name.trim()) ?? [];
  if (!columns.some((name) => ownOf(name) === 'userName')) {
    return { isRight: false, problem: words.noUserName };
  }
  const lines = all.filter(({ cells }) => !isServiceAccount(columns, cells));
  if (lines.length === 0) {
    return { isRight: false, problem: all.length === 0 ? words.empty : words.onlyServiceAccounts };
  }
  if (lines.length > MOST_USERS) {
    return { isRight: false, problem: words.tooMany(MOST_USERS) };
  }
  const users: NewUser[] = [];
  for (const { number, cells } of lines) {
    const user = userOf(columns, cells);
    if (!user.isRight) {
      return { isRight: false, problem: words.inLine(number, user.problem) };
    }
    users.push(user.value);
  }
  const lineNumbers = lines.map(({ number }) => number);
  return { isRight: true, value: { users, lineNumbers, serviceAccounts: all.length - lines.length } };
}
