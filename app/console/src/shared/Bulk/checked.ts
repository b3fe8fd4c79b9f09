import type { Selected } from '../Table';
import type { BulkRun } from './useBulk';

interface Refused {
  readonly item: Selected;
  readonly message: string;
}

interface Checked {
  readonly good: readonly Selected[];
  readonly refused: readonly Refused[];
}

/** Part the items into those an act works for and those it is refused for. What was not tried is in neither. */
export function checkedOf(items: readonly Selected[], states: BulkRun['states']): Checked {
  return {
    good: items.filter(({ id }) => states.get(id)?.kind === 'done'),
    refused: items.flatMap((item) => {
      const state = states.get(item.id);
      return state?.kind === 'failed'
        ? [{ item, message: state.failures.map(({ message }) => message).join(' ') }]
        : [];
    }),
  };
}
