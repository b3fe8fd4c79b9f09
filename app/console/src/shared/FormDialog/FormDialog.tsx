import { Modal } from '@mantine/core';
import type { ModalProps } from '@mantine/core';
import { useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { LeaveQuestion } from './LeaveQuestion';
import { DialogContext } from './dialogContext';
import type { DialogState } from './dialogContext';

type FormDialogProps = Pick<ModalProps, 'title' | 'size' | 'closeOnClickOutside'> & {
  readonly isOpen?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
};

/**
 * A dialog with a form. Esc, its cross and a click beside it ask before they throw input away, and do nothing while a
 * change runs, since its answer would be lost with the dialog.
 */
export function FormDialog({ isOpen = true, onClose, children, ...rest }: FormDialogProps): ReactNode {
  const [isAsking, setIsAsking] = useState(false);
  const state = useRef<DialogState>({ unsaved: new Set(), busy: new Set() });
  const close = (): void => {
    const { unsaved, busy } = state.current;
    if (busy.size > 0) {
      return;
    }
    if (unsaved.size > 0) {
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
      </DialogContext>
    </Modal>
  );
}
