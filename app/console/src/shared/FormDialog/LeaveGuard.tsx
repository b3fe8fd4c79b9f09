import { useBlocker } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { LeaveQuestion } from './LeaveQuestion';

interface Address {
  readonly pathname: string;
  readonly search: object;
}

const placeOf = ({ pathname, search }: Address): string =>
  `${pathname} ${'tab' in search ? String(search.tab) : ''}`;

/** Asks before a link, back, reload or close leads away from input. `hasInput` is asked at that moment. */
export function LeaveGuard({ hasInput }: { readonly hasInput: () => boolean }): ReactNode {
  const blocker = useBlocker({
    // A tab is in the address beside filters: to leave it throws input away, a filter does not.
    shouldBlockFn: ({ current, next }) => hasInput() && placeOf(current) !== placeOf(next),
    enableBeforeUnload: hasInput,
    withResolver: true,
  });
  const isAsking = blocker.status === 'blocked';
  return (
    <LeaveQuestion isAsking={isAsking} onStay={() => blocker.reset?.()} onLeave={() => blocker.proceed?.()} />
  );
}
