import { expect, test } from 'vitest';
import { redact } from './redact';

test.each([
  [
    '{ login(input: {userName: "ann", password: "a b"}) { x } }',
    '{ login(input: {userName: "ann", password: ""}) { x } }',
  ],
  ['# "newPassword": "quiet sea"', '# "newPassword": ""'],
  ['query ($apiToken: String! = "ost_1") { x }', 'query ($apiToken: String! = "") { x }'],
  ['{ a(secret: """two\nlines""") }', '{ a(secret: "") }'],
  ['{ a(tokens: ["x", "y"]) }', '{ a(tokens: "") }'],
  ['{ a(password: "open\n) }', '{ a(password: ""\n) }'],
  [String.raw`{ a(password: "a\"b") }`, '{ a(password: "") }'],
])('%s', (text, clean) => {
  expect(redact(text)).toBe(clean);
});

test('everything else stays', () => {
  const text =
    'query Users($first: Int = 20, $password: String!) { users(first: $first) { nodes { userName } } }';
  expect(redact(text)).toBe(text);
});
