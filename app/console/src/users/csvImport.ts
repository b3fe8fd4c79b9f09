import type { VariablesOf } from '../api';
import type { CreateUsersMutation } from './changes';
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
  ['roles', 'roles'],
]);

/** Split CSV text into lines of cells. Quoted cells may contain commas, quotation marks and line ends. */
export function parseCsv(text: string): Parsed<string[][]> {
  const lines: string[][] = [];
  let line: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  const source = text.replace(/^\uFEFF/, '');
  while (cell.lastIndex < source.length) {
    const match = cell.exec(source);
    if (match === null) {
      return { isRight: false, problem: words.openQuote };
    }
    line.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] !== ',' || cell.lastIndex >= source.length) {
      lines.push(match[3] === ',' ? [...line, ''] : line);
      line = [];
    }
  }
  return { isRight: true, value: lines.filter((cells) => cells.some((each) => each.trim() !== '')) };
}

/** Return the text as it was before an export made it safe for spreadsheets. */
const withoutMark = (text: string): string => (/^'[=+\-@\t\r]/.test(text) ? text.slice(1) : text);

function userOf(columns: readonly string[], cells: readonly string[]): NewUser {
  const user: NewUser = { userName: '' };
  const metadata: Record<string, string> = {};
  columns.forEach((column, index) => {
    const value = withoutMark(cells[index]?.trim() ?? '');
    const own = OWN_COLUMNS.get(column.toLowerCase().replaceAll(/[\s_-]/g, ''));
    if (value === '') {
      return;
    }
    if (own === 'roles') {
      user.roles = value.split(/[\s;]+/).filter((name) => name !== '');
    } else if (own === 'userName' || own === 'email' || own === 'displayName' || own === 'password') {
      user[own] = value;
    } else if (column !== '') {
      metadata[column] = value;
    }
  });
  return Object.keys(metadata).length === 0 ? user : { ...user, metadata };
}

/** Read CSV text as new users. */
export function usersOf(text: string): Parsed<NewUser[]> {
  const parsed = parseCsv(text);
  if (!parsed.isRight) {
    return parsed;
  }
  const [head = [], ...lines] = parsed.value;
  const columns = head.map((name) => name.trim());
  if (!columns.some((name) => OWN_COLUMNS.get(name.toLowerCase().replaceAll(/[\s_-]/g, '')) === 'userName')) {
    return { isRight: false, problem: words.noUserName };
  }
  if (lines.length === 0) {
    return { isRight: false, problem: words.empty };
  }
  return lines.length > MOST_USERS
    ? { isRight: false, problem: words.tooMany(MOST_USERS) }
    : { isRight: true, value: lines.map((cells) => userOf(columns, cells)) };
}
