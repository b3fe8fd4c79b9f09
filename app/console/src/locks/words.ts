import { phrase } from '../shared';
export const words = {
  title: 'Lock',
  unlocked: 'The resource is not locked.',
  locked: (who: string) => phrase`Locked by ${who}`,
  effect: 'While it is locked, nobody can edit, transfer or delete it, or upload files.',
  access: 'Access can still be changed.',
  reason: 'Reason',
  reasonAbout: 'Everybody who can see the resource can read it.',
  lock: 'Lock',
  unlock: 'Unlock',
  lockedNow: 'Locked',
  unlockedNow: 'Unlocked',
  history: 'History',
  noHistory: 'It was never locked.',
  older: (count: number) => phrase`The newest 20 of ${count.toLocaleString('en')} entries.`,
  system: 'the system',
  actions: { LOCK: 'Locked by', UNLOCK: 'Unlocked by' },
};
