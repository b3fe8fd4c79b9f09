import { phrase } from '../shared';
import type { Failure } from '../api';
import type { Selected } from '../shared';

/** Say which resource each error of a batch is about. The path has the index of the grant. */
export function namedFailures(failures: readonly Failure[], items: readonly Selected[]): readonly Failure[] {
  return failures.map((failure) => {
    if (failure.kind !== 'problem' || failure.path[1] !== 'grants') {
      return failure;
    }
    const item = items[Number(failure.path[2])];
    return item === undefined
      ? failure
      : { ...failure, path: [], message: phrase`${item.name}: ${failure.message}` };
  });
}
