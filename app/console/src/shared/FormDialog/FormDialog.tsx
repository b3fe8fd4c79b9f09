import { Modal } from '@mantine/core';
import type { ModalProps } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { noteUnsaved } from '../../api';
import { DialogContext, hasInput, newDialogState } from './dialogContext';
import { LeaveGuard } from './LeaveGuard';
import { LeaveQuestion } from './LeaveQuestion';

type FormDialogProps = Pick<ModalProps, 'title' | 'size' | 'closeOnClickOutside'> & {
  readonly isOpen?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
};

/**
 * A dialog with a form. Esc, its cross, a click beside it and leaving the page ask before they throw away what was
 * entered in its fields. It does not close while a change runs, since the answer would be lost with it.
 */
export function FormDialog({ isOpen = true, onClose, children, ...rest }: FormDialogProps): ReactNode {
  const [isAsking, setIsAsking] = useState(false);
  const state = useRef(newDialogState());
  // GraphiQL has no pages to leave.
  const hasPages = Boolean(useRouter({ warn: false }));
  useEffect(() => noteUnsaved(() => hasInput(state.current)), []);
  const close = (): void => {
    if (state.current.busy.size > 0) {
      return;
    }
    if (hasInput(state.current)) {
      // A moment later: the same press of Esc would close the question.
      setTimeout(() => setIsAsking(true));
    } else {
      onClose();
    }
  };
  const leave = (): void => {
    setIsAsking(false);
    onClose();
  };
  return (
    <Modal opened={isOpen} onClose={close} {...rest}>
      <DialogContext value={state}>
        {children}
        <LeaveQuestion isAsking={isAsking} onStay={() => setIsAsking(false)} onLeave={leave} />
        {hasPages ? <LeaveGuard hasInput={() => hasInput(state.current)} /> : null}
      </DialogContext>
    </Modal>
  );
}
