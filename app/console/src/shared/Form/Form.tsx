import { Button, Group, Stack } from '@mantine/core';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useOnline } from '../../api';
import type { Change, Failure } from '../../api';
import { Failures } from '../Failures';
import { useDialogNote } from '../FormDialog';
import { words } from '../words';
import { FormContext, messageOf } from './context';

/** What a form needs of `useChange`. */
export type FormChange = Pick<
  Change<never, unknown>,
  'fieldErrors' | 'topFailures' | 'failures' | 'isBusy' | 'wait' | 'clear'
>;

interface FormProps {
  readonly change: FormChange;
  readonly onSubmit: () => void;
  /** What the button says: the act, such as "Add user". */
  readonly submit: string;
  readonly onCancel?: (() => void) | undefined;
  readonly isDisabled?: boolean;
  /** The colour of the button: red for what cannot be undone. */
  readonly color?: string;
  /** The name of the form for screen readers. */
  readonly label?: string;
  readonly children: ReactNode;
}

/** Return the errors of fields that the form does not have; they are shown above it. */
function strayErrors({ failures, fieldErrors }: FormChange, claimed: ReadonlySet<string>): Failure[] {
  const own = new Map([...fieldErrors].filter(([path]) => ![...claimed].some((each) => isBelow(path, each))));
  return failures.filter(
    (failure) => failure.kind === 'problem' && messageOf(own, failure.path.slice(1).join('.')) !== undefined,
  );
}

/** Hold which required fields are empty, and whether the form was sent all the same. */
function useRequired() {
  const missing = useRef(new Set<string>());
  const [attempts, setAttempts] = useState(0);
  const note = useCallback((path: string) => {
    missing.current.add(path);
    return () => {
      missing.current.delete(path);
    };
  }, []);
  /** Return whether the form is complete. Otherwise its empty fields say so. */
  const check = (): boolean => {
    const isComplete = missing.current.size === 0;
    setAttempts((count) => (isComplete ? 0 : count + 1));
    return isComplete;
  };
  return { isIncomplete: attempts > 0, attempts, note, check };
}

const isBelow = (path: string, field: string): boolean => path === field || path.startsWith(`${field}.`);

/**
 * A form around a change. Nothing is sent while a required field is empty. Errors of the server go to the fields by
 * their paths, the others stand above. The first invalid field gets the focus. What was typed stays.
 */
export function Form(props: FormProps): ReactNode {
  const { change, onSubmit, submit, onCancel, isDisabled = false, color, label, children } = props;
  const form = useRef<HTMLFormElement>(null);
  useDialogNote('busy', change.isBusy);
  const [claimed, setClaimed] = useState<ReadonlySet<string>>(new Set());
  const claim = useCallback((path: string) => {
    setClaimed((old) => new Set(old).add(path));
    return () => setClaimed((old) => new Set([...old].filter((each) => each !== path)));
  }, []);
  const { fieldErrors: errors, failures, clear } = change;
  const { isIncomplete, attempts, note, check } = useRequired();
  const context = useMemo(
    () => ({ errors, claim, note, isIncomplete, clear }),
    [errors, claim, note, isIncomplete, clear],
  );

  useEffect(() => {
    if (failures.length > 0 || attempts > 0) {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  }, [failures, attempts]);

  return (
    <FormContext value={context}>
      <form
        ref={form}
        aria-label={label}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          (check() ? onSubmit : clear)();
        }}
      >
        <Stack gap="md">
          <Failures failures={[...change.topFailures, ...strayErrors(change, claimed)]} />
          {children}
          <Group justify="flex-end">
            {onCancel === undefined ? null : (
              <Button variant="default" onClick={onCancel} disabled={change.isBusy}>
                {words.cancel}
              </Button>
            )}
            <SubmitButton {...{ change, submit, isDisabled, color }} />
          </Group>
        </Stack>
      </form>
    </FormContext>
  );
}

interface SubmitButtonProps {
  readonly change: FormChange;
  readonly submit: string;
  readonly isDisabled: boolean;
  readonly color: string | undefined;
}

/** The button of a form. While the change runs it takes no second press; after a 429 it counts down. */
function SubmitButton({ change, submit, isDisabled, color }: SubmitButtonProps): ReactNode {
  const isOnline = useOnline();
  return (
    <Button
      type="submit"
      loading={change.isBusy}
      disabled={isDisabled || change.wait > 0 || !isOnline}
      {...(color === undefined ? {} : { color })}
    >
      {change.wait > 0 ? words.waiting(change.wait) : submit}
    </Button>
  );
}
