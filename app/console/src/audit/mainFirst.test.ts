import { expect, test } from 'vitest';
import { ACTIONS } from './actions';
import { mainFirst } from './mainFirst';

const [org, resource, user, group, role] = (['ORG', 'RESOURCE', 'USER', 'GROUP', 'ROLE'] as const).map(
  (objectType) => ({ objectType }),
);
const all = [org, resource, user, group, role].filter((each) => each !== undefined);

test.each([
  ['createResource', resource],
  ['submitAccess', resource],
  ['createOrg', org],
  ['addOrgMember', org],
  ['addGroupMembers', group],
  ['createUser', user],
  ['assignRoles', user],
  ['login', user],
  ['deleteRole', role],
])('%s names what it is about first', (action, first) => {
  expect(mainFirst(action, all)[0]).toBe(first);
});

test.each(ACTIONS)('%s loses no object', (action) => {
  expect(new Set(mainFirst(action, all))).toEqual(new Set(all));
});
