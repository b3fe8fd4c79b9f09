import { expect, test } from 'vitest';
import { parseCsv, usersOf } from './csvImport';

const problemOf = (text: string): string => {
  const parsed = usersOf(text);
  return parsed.isRight ? '' : parsed.problem;
};

test('cells may be quoted, and lines may end in any way', () => {
  const text = '\uFEFFa,b\r\n"x, ""y""","line 1\nline 2"\n\nlast,\n';

  expect(parseCsv(text)).toEqual({
    isRight: true,
    value: [
      { number: 1, cells: ['a', 'b'] },
      { number: 2, cells: ['x, "y"', 'line 1\nline 2'] },
      { number: 5, cells: ['last', ''] },
    ],
  });
});

test.each([
  [';', 'a;b;c\r\n"x; ""y""";1,5;z\r\nlast;;'],
  ['\t', 'a\tb\tc\n"x; ""y"""\t1,5\tz\nlast\t\t'],
])('a first line without commas has cells between %j', (_, text) => {
  expect(parseCsv(text)).toEqual({
    isRight: true,
    value: [
      { number: 1, cells: ['a', 'b', 'c'] },
      { number: 2, cells: ['x; "y"', '1,5', 'z'] },
      { number: 3, cells: ['last', '', ''] },
    ],
  });
});

test('a comma or a semicolon in a quoted name of a column separates nothing', () => {
  expect(parseCsv('"a,1";b\n1;2')).toMatchObject({ value: [{ cells: ['a,1', 'b'] }, { cells: ['1', '2'] }] });
  expect(parseCsv('"a;1",b\n1;2,3')).toMatchObject({
    value: [{ cells: ['a;1', 'b'] }, { cells: ['1;2', '3'] }],
  });
});

test('roles between semicolons are quoted in a file with semicolons', () => {
  expect(usersOf('userName;roles\nbob;"user;data steward"')).toMatchObject({
    isRight: true,
    value: { users: [{ userName: 'bob', roles: ['user', 'data steward'] }] },
  });
});

test('an open quotation mark is refused', () => {
  expect(parseCsv('a\n"b').isRight).toBe(false);
});

test('known columns are fields, others are attributes, empty cells are left out', () => {
  const text = "User name,EMAIL,roles,department\nbob,,user editor,'=1+1\n6644,b@example.com,,";

  expect(usersOf(text)).toEqual({
    isRight: true,
    value: {
      users: [
        { userName: 'bob', roles: ['user', 'editor'], metadata: { department: '=1+1' } },
        { userName: '6644', email: 'b@example.com' },
      ],
      lineNumbers: [2, 3],
      serviceAccounts: 0,
    },
  });
});

test('the table of a declared state is read as it was written', () => {
  const head = 'userName,displayName,email,isServiceAccount,roles,metadata,passwordHash,team';
  const text = `${head}\r\nbob,,,false,"user;data steward;a\\;b","{""site"":""Reef"",""depth"":7}",$2b$04$x,''=1`;

  expect(usersOf(text)).toMatchObject({
    isRight: true,
    value: {
      users: [
        {
          userName: 'bob',
          roles: ['user', 'data steward', 'a;b'],
          passwordHash: '$2b$04$x',
          metadata: { site: 'Reef', depth: 7, team: "'=1" },
        },
      ],
    },
  });
});

test.each([
  'isServiceAccount\nrobot,yes',
  'metadata\nrobot,Reefs',
  'metadata\nrobot,[]',
  'metadata\nrobot,"{""a"":[9007199254740993]}"',
])('a column of a declared state is refused with its line: %s', (rest) => {
  expect(problemOf(`userName,${rest}`)).toMatch(/^Line 2: The column /);
});

test('service accounts are left out, and the others keep their lines', () => {
  const text = 'userName,isServiceAccount,metadata\nrobot,TRUE,[]\n\n"bob",false,\n';

  expect(usersOf(text)).toEqual({
    isRight: true,
    value: { users: [{ userName: 'bob' }], lineNumbers: [4], serviceAccounts: 1 },
  });
  expect(problemOf('userName,isServiceAccount\nrobot,true')).toContain('service accounts');
});

test('a message has the line of the file, after empty lines and line ends in cells', () => {
  expect(problemOf('userName,metadata,note\r\n\r\nbob,,"a\nb"\r\n\r\nann,[],')).toMatch(/^Line 6: /);
});

test('a list without user names or lines is refused', () => {
  expect(usersOf('email\nb@example.com').isRight).toBe(false);
  expect(usersOf('userName').isRight).toBe(false);
  expect(usersOf(`userName${'\nbob'.repeat(1_001)}`).isRight).toBe(false);
});
