import { counted } from '../words';

export const words = {
  waiting: 'waiting',
  running: 'running …',
  done: 'done',
  progress: (done: number, total: number) => `${String(done)} of ${counted(total, 'entry', 'entries')} done`,
  start: 'Start',
  stop: 'Stop',
  again: 'Repeat those that failed',
  close: 'Close',
};
