import { phrase } from '../phrase';
import { counted } from '../words';

export const words = {
  waiting: 'waiting',
  running: 'running …',
  done: 'done',
  progress: (done: number, total: number) =>
    phrase`${String(done)} of ${counted(total, 'entry', 'entries')} done`,
  start: 'Start',
  stop: 'Stop',
  again: 'Repeat those that failed',
  close: 'Close',
  check: 'Check',
  checkFirst: 'The check writes nothing.',
  checking: (done: number, total: number) =>
    phrase`Checking ${String(done)} of ${counted(total, 'entry', 'entries')} …`,
  checkStopped: 'You stopped the check. It wrote nothing.',
  checked: (good: number, total: number) => phrase`${String(good)} of ${String(total)} can be changed.`,
};
