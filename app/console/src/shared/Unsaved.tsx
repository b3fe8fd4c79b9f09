import { useBlocker } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { noteUnsaved } from '../api';
import { LeaveQuestion, useDialogNote } from './FormDialog';

interface Address {
  readonly pathname: string;
  readonly search: object;
}

const placeOf = ({ pathname, search }: Address): string =>
  `${pathname} ${'tab' in search ? String(search.tab) : ''}`;

interface UnsavedProps {
  /** Whether there is input that is not saved. */
  readonly isDirty: boolean;
}

/** Asks before a link, back, reload or close throws input away; put it beside the form. */
export function Unsaved({ isDirty }: UnsavedProps): ReactNode {
  useDialogNote('unsaved', isDirty);
  useEffect(() => (isDirty ? noteUnsaved() : undefined), [isDirty]);
  const blocker = useBlocker({
    // A tab is in the address beside filters: to leave it throws input away, a filter does not.
    shouldBlockFn: ({ current, next }) => isDirty && placeOf(current) !== placeOf(next),
    enableBeforeUnload: isDirty,
    withResolver: true,
  });
  const isAsking = blocker.status === 'blocked';
  return (
    <LeaveQuestion isAsking={isAsking} onStay={() => blocker.reset?.()} onLeave={() => blocker.proceed?.()} />
  );
}
