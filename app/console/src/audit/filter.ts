import { actionFilter } from './actions';
import { periodFilter } from './period';

/** Return the filter of the API for the values in the address. */
export function filterOf(read: (name: string) => string | undefined) {
  const who = read('who')?.trim() ?? '';
  const what = read('what')?.trim() ?? '';
  const objectId = read('object');
  const createdAt = periodFilter(read('from'), read('to'));
  return {
    ...(who === '' ? {} : { actorName: { startsWith: who } }),
    ...(what === '' ? {} : { action: actionFilter(what) }),
    ...(objectId === undefined ? {} : { objectId }),
    ...(createdAt === null ? {} : { createdAt }),
  };
}
