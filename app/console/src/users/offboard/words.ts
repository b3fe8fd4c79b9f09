import { counted, phrase } from '../../shared';

const orgs = (count: number): string => counted(count, 'organization', 'organizations');
const resources = (count: number): string => counted(count, 'resource', 'resources');

export const words = {
  title: (name: string) => phrase`Off-board ${name}`,
  missing: 'This user is not there, or not visible to you.',
  account: (name: string) => phrase`The account ${name}`,
  intro: (name: string) =>
    phrase`This is what ${name} owns and holds. Name a successor for what they own, then deactivate or delete the account.`,
  ownedOrgs: (count: number) => phrase`Owns ${orgs(count)}`,
  ownedResources: (count: number) => phrase`Owns ${resources(count)}`,
  memberships: (count: number) => phrase`Member of ${orgs(count)}`,
  groups: (count: number) => phrase`Member of ${counted(count, 'group', 'groups')}`,
  tokens: (count: number) => phrase`Has ${counted(count, 'API token', 'API tokens')}`,
  reach: (count: number) => phrase`Reaches ${resources(count)}`,
  roles: (count: number) => phrase`Holds ${counted(count, 'role', 'roles')}`,
  entries: 'Own entries on resources',
  grants: (count: number) => phrase`Granted by name on ${resources(count)}`,
  grantsAbout:
    'If the account is deactivated, these entries stay and give nothing; they count again if it is reactivated. If the account is deleted, they are removed.',
  resource: 'Resource',
  grantedRoles: 'Granted roles',
  ends: 'Ends',
  andMore: (count: number) => phrase`and ${counted(count, 'other', 'others')}`,
  nothing: 'None',
  locked: 'locked',
  manager: 'manager',
  form: 'What happens',
  successor: 'Successor',
  successorHint: 'This person receives what the user owns.',
  how: 'Account',
  hows: {
    deactivate: 'Deactivate: nobody can use the account, and the name stays taken',
    delete: 'Delete: the account is gone, and its name is free',
  },
  also: 'Also',
  memberships_: 'Remove them from all organizations and groups',
  tokens_: 'Revoke their API tokens',
  check: 'Check',
  deactivateTitle: (name: string) => phrase`Off-board ${name}`,
  resume: 'Each line is one change. What failed can be repeated.',
  tooMany: 'There are more than 100 of a kind. Open this page again when these are done.',
  step: {
    deactivate: (name: string) => phrase`Deactivate ${name}`,
    org: (org: string, to: string) => phrase`Hand ${org} over to ${to}`,
    resource: (resource: string, to: string) => phrase`Hand ${resource} over to ${to}`,
    membership: (org: string) => phrase`Remove from ${org}`,
    group: (group: string) => phrase`Remove from the group ${group}`,
    token: (token: string) => phrase`Revoke the API token ${token}`,
  },
  deleteTitle: (name: string) => phrase`Delete ${name}?`,
  delete: (name: string) => phrase`Delete ${name}`,
  deleteText: 'All their sessions and API tokens end. This cannot be undone.',
  handsOver: (to: string, orgCount: number, resourceCount: number) =>
    phrase`${to} receives ${orgs(orgCount)} and ${resources(resourceCount)}.`,
  withoutSuccessor: (orgCount: number, resourceCount: number) =>
    orgCount + resourceCount === 0
      ? 'They own nothing.'
      : phrase`${orgs(orgCount)} and ${resources(resourceCount)} are left without an owner.`,
  deleted: (name: string) => phrase`${name} is deleted.`,
  done: (name: string, to: string, orgCount: number, resourceCount: number) =>
    phrase`${name} is deleted. ${to} owns ${orgs(orgCount)} and ${resources(resourceCount)} more.`,
};
