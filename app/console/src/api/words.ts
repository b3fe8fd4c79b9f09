import { phrase } from '../shared/phrase';
const seconds = new Intl.NumberFormat('en', { style: 'unit', unit: 'second', unitDisplay: 'long' });

export const words = {
  signedOut: 'Your session has ended. Sign in again.',
  forbidden: 'You may not do this.',
  notFound: 'It is not there, or not visible to you.',
  missing: (noun: string) =>
    phrase`This ${noun === 'org' ? 'organization' : noun} is not there, or not visible to you.`,
  wait: (left: number) => phrase`Wait ${seconds.format(left)}, then try again.`,
  stale:
    'Somebody else has changed this since you opened it. What you typed is kept: check it, and save again.',
  committed: 'The change was made, but its result could not be shown. Load the page again.',
  unknownOutcome:
    'No answer came, so it is not known whether this was saved. Try the same again: it is not done twice.',
  unavailable: 'The server cannot answer now. Try again soon.',
  unreachable: 'The server did not answer. Check your connection and try again.',
  internal: 'The server made a mistake.',
  internalWithId: (errorId: string) => phrase`The server made a mistake. Its number is ${errorId}.`,
  offline: 'You are offline. Nothing was sent.',
  unexpected: 'The server refused the request.',
};
