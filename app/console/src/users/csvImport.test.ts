import { expect, test } from 'vitest';
import { parseCsv, usersOf } from './csvImport';

test('cells may be quoted, and lines may end in any way', () => {
  const text = '\uFEFFa,b\r\n"x, ""y""","line 1\nline 2"\n\nlast,\n';

  expect(parseCsv(text)).toEqual({
    isRight: true,
    value: [
      ['a', 'b'],
      ['x, "y"', 'line 1\nline 2'],
      ['last', ''],
    ],
  });
});

test('an open quotation mark is refused', () => {
  expect(parseCsv('a\n"b').isRight).toBe(false);
});

test('known columns are fields, others are attributes, empty cells are left out', () => {
  const text = "User name,EMAIL,roles,department\nbob,,user editor,'=1+1\n6644,b@example.com,,";

  expect(usersOf(text)).toEqual({
    isRight: true,
    value: [
      { userName: 'bob', roles: ['user', 'editor'], metadata: { department: '=1+1' } },
      { userName: '6644', email: 'b@example.com' },
    ],
  });
});

test('the table of a declared state is read as it was written', () => {
  const head = 'userName,displayName,email,isServiceAccount,roles,metadata,passwordHash,team';
  const text = `${head}\r\nbob,,,false,"user;data steward;a\\;b","{""site"":""Reef"",""depth"":7}",$2b$04$x,''=1`;

  expect(usersOf(text)).toEqual({
    isRight: true,
    value: [
      {
        userName: 'bob',
        roles: ['user', 'data steward', 'a;b'],
        passwordHash: '$2b$04$x',
        metadata: { site: 'Reef', depth: 7, team: "'=1" },
      },
    ],
  });
});

test.each(['isServiceAccount\nrobot,true', 'metadata\nrobot,Reefs', 'metadata\nrobot,[]'])(
  'a column of a declared state is refused with its line: %s',
  (rest) => {
    const parsed = usersOf(`userName,${rest}`);
    expect(parsed.isRight ? '' : parsed.problem).toMatch(/^Line 2: The column /);
  },
);

test('a list without user names or lines is refused', () => {
  expect(usersOf('email\nb@example.com').isRight).toBe(false);
  expect(usersOf('userName').isRight).toBe(false);
  expect(usersOf(`userName${'\nbob'.repeat(1_001)}`).isRight).toBe(false);
});
