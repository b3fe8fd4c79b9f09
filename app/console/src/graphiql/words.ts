import { phrase } from '../shared';
export const words = {
  title: 'GraphiQL',
  plugin: 'Ostiary',
  session: 'Session',
  signedInAs: (name: string) => phrase`Signed in as ${name}. Every operation runs as this user.`,
  anonymous: 'Nobody is signed in. Operations run without an account.',
  ended: 'Your session has ended. Sign in again.',
  loading: 'Asking who is signed in …',
  signIn: 'Sign in',
  signOut: 'Sign out',
  toConsole: 'To the console',
  starters: 'Starters',
  drafts: 'First drafts',
  draftsText: 'An operation for any field of Query or Mutation, with its required arguments.',
  search: 'Search fields',
  noSchema: 'The schema is not there yet.',
  kinds: { query: 'Query', mutation: 'Mutation' },
  more: (count: number) => phrase`${String(count)} more. Search for them.`,
  schemaProblem: (reason: string) =>
    phrase`${reason} Operations still run; completion, hints and the documentation need the schema.`,
  noSchemaHere: 'The server does not show its schema.',
  facts: 'Answer',
  status: (status: number) => phrase`Status ${String(status)}`,
  took: (milliseconds: string) => phrase`${milliseconds} ms, with the way`,
  executor: (name: string, reason: string | null) =>
    reason === null ? phrase`Executor: ${name}` : phrase`Executor: ${name}, because: ${reason}`,
  nextPage: 'Next page',
  noAnswer: 'No response from the server. Check that it is running.',
  notJson: (status: number) => phrase`The server answered with status ${String(status)}, and not with JSON.`,
  privacy:
    'Texts of tabs stay in this tab of the browser, without passwords and tokens. Variables, headers, answers and history are in memory. All go at sign-out.',
};
