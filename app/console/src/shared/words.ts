import { phrase } from './phrase';
const counts = new Intl.NumberFormat('en');

/** Return a number with its noun: "1 user", "3 users". */
export const counted = (count: number, one: string, many: string): string =>
  phrase`${counts.format(count)} ${count === 1 ? one : many}`;

/** Return a noun with its number, or alone for none: "users", "1 user", "3 users". */
export const someOf = (count: number, one: string, many: string): string =>
  count === 0 ? many : counted(count, one, many);

export const words = {
  appName: 'Ostiary',
  cancel: 'Cancel',
  close: 'Close',
  hidden: 'not visible to you',
  none: 'None',
  yes: 'Yes',
  no: 'No',
  storageLimit: 'Storage limit',
  never: 'Never',
  showTyped: (label: string) => phrase`Show what is typed: ${label}`,
  saved: 'Saved',
  tryAgain: 'Try again',
  stop: 'Stop',
  loading: 'Loading',
  stillWorking: 'Still working …',
  stopped: 'You stopped this.',
  refreshing: 'Reading again',
  missing: 'It is not there, or not visible to you.',
  missingTitle: 'Nothing here',
  toStart: 'Go to the start page',
  copyId: 'Copy the number',
  copied: 'Copied',
  waiting: (seconds: number) => phrase`Wait ${counted(seconds, 'second', 'seconds')}`,
  notices: 'Notices',
  dismiss: 'Dismiss',
  changedMeanwhile: 'Somebody else changed this meanwhile. Now it is:',
  overwrite: 'Save again to replace this with yours, or take it.',
  take: 'Take what is stored',
  unsavedTitle: 'Leave without saving?',
  unsaved: 'What you changed here is not saved.',
  leave: 'Leave',
  stay: 'Stay',
  required: (label: string) => phrase`${label} is required.`,
  typeToConfirm: (text: string) => phrase`Type ${text} to confirm`,
  quota: (used: string, total: string) => phrase`${used} of ${total}`,
  noQuota: (used: string) => phrase`${used}, no limit`,
};
