import { counted, phrase, someOf } from '../shared';

const users = (count: number): string => counted(count, 'user', 'users');

const someUsers = (count: number): string => someOf(count, 'user', 'users');

export const words = {
  title: 'Users',
  table: 'Users',
  userName: 'User name',
  displayName: 'Display name',
  email: 'Email',
  password: 'Password',
  roles: 'Roles',
  orgs: 'Member of organizations (not owned)',
  owns: 'Resources owned',
  storage: 'Storage',
  created: 'Created',
  lastLogin: 'Last sign-in',
  state: 'State',
  active: 'Active',
  deactivated: 'Deactivated',
  serviceAccount: 'Service account',
  noRoles: 'No roles',
  addUser: 'Add User',
  addUserHint: 'Letters and digits, no spaces.',
  create: 'Create',
  addServiceAccount: 'Add service account',
  serviceAccountHint:
    'A service account belongs to a program. It has no password and signs in only with API tokens. Create the token on its page.',
  created_: (name: string) => phrase`${name} is created.`,
  importUsers: 'Import from CSV',
  exportUsers: 'Export as CSV',
  hiddenFromExport: (name: string) =>
    phrase`No file was written: you may not see the metadata and the email address of ${name}. Ask an administrator for the file.`,
  unsafeExport: (name: string) =>
    phrase`No file was written: the metadata of ${name} has a number that the browser cannot keep, beyond 9,007,199,254,740,991. Use ostiary export instead.`,
  filterRole: 'Role',
  anyRole: 'Any role',
  filterLogin: 'Not signed in since',
  filterState: 'State',
  anyState: 'All accounts',
  states: { active: 'Active', deactivated: 'Deactivated', service: 'Service accounts' },
  giveRole: (count: number) => phrase`Give ${someUsers(count)} a role`,
  takeRole: (count: number) => phrase`Take a role from ${someUsers(count)}`,
  deactivate: (count: number) => phrase`Deactivate ${someUsers(count)}`,
  role: 'Role',
  chooseRole: 'Choose a role.',
  deactivateText: 'They are signed out at their next request, and cannot sign in. They keep all other roles.',
  giveRoleText: (role: string) => phrase`They keep all other roles and get ${role}.`,
  takeRoleText: (role: string) => phrase`They keep all other roles and lose ${role}.`,
};

export const importWords = {
  intro: (most: number) =>
    phrase`Paste CSV text or choose a file, with up to ${most.toLocaleString('en')} users. The first line names the columns, between commas, semicolons or tabs: userName, and any of email, displayName, password, roles. Separate several roles by spaces, or by semicolons if a name has spaces. An empty cell leaves the field out; without roles, a user gets the role user. Every other column becomes an attribute. A file of Export as CSV or of ostiary export can be read too; its service accounts are left out.`,
  example: 'userName,email,password,roles,department\nbob,bob@example.com,correct-horse-42,user,Reefs',
  text: 'CSV text',
  file: 'Choose a file',
  check: 'Check',
  import: (count: number) => phrase`Create ${users(count)}`,
  preview: 'Preview',
  line: 'Line',
  result: 'Result',
  fine: 'can be created',
  ready: (count: number) =>
    count === 1
      ? 'The user can be created. Nothing is written yet.'
      : phrase`All ${users(count)} can be created. Nothing is written yet.`,
  refused: (bad: number, all: number) =>
    phrase`${counted(bad, 'line', 'lines')} of ${String(all)} cannot be created. Nothing is written until all lines are right.`,
  done: (count: number) => phrase`${users(count)} created.`,
  slow: 'Each password takes a moment.',
  empty: 'There is no line below the names of the columns.',
  noUserName: 'There is no column userName.',
  tooMany: (most: number) => phrase`There are more than ${most.toLocaleString('en')} lines.`,
  badMetadata: 'The column metadata takes a JSON object, such as {"department": "Reefs"}.',
  unsafeNumber:
    'The column metadata has a number that the browser cannot keep, beyond 9,007,199,254,740,991. Write it as text, in quotation marks, or use ostiary apply.',
  otherRoles:
    'The column roles and the member roles of the metadata differ, and a new user would get those of the metadata. Remove the member from the metadata, or make both equal.',
  badServiceAccount: 'The column isServiceAccount must be true, false or empty.',
  onlyServiceAccounts: 'All lines are service accounts. Add them one by one, with Add service account.',
  leftOut: (count: number) =>
    phrase`${counted(count, 'line is left out: it is a service account. Add it', 'lines are left out: they are service accounts. Add them one by one,')} with Add service account.`,
  inLine: (line: number, problem: string) => phrase`Line ${String(line)}: ${problem}`,
  openQuote: 'A quotation mark is not closed.',
};
