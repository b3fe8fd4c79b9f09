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
function strayErrors(
  { failures, fieldErrors }: FormChange,
  claimed: ReadonlyMap<string, string | null>,
): Failure[] {
  const paths = [...claimed.keys()];
  const own = new Map([...fieldErrors].filter(([path]) => !paths.some((each) => isBelow(path, each))));
  return failures.filter(
    (failure) => failure.kind === 'problem' && messageOf(own, failure.path.slice(1).join('.')) !== undefined,
  );
}

/** Return the required fields that are empty, with what is said about them. */
const missingOf = (claimed: ReadonlyMap<string, string | null>): readonly (readonly [string, string])[] =>
  [...claimed].flatMap(([path, missing]) => (missing === null ? [] : [[path, missing] as const]));

const isBelow = (path: string, field: string): boolean => path === field || path.startsWith(`${field}.`);

/**
 * A form around a change. Errors of the server go to the fields by their paths, the others stand above. The first
 * invalid field gets the focus. What was typed stays.
 */
export function Form(props: FormProps): ReactNode {
  const { change, onSubmit, submit, onCancel, isDisabled = false, color, label, children } = props;
  const form = useRef<HTMLFormElement>(null);
  useDialogNote('busy', change.isBusy);
  const [claimed, setClaimed] = useState<ReadonlyMap<string, string | null>>(new Map());
  const claim = useCallback((path: string, missing: string | null) => {
    setClaimed((old) => new Map(old).set(path, missing));
    return () => setClaimed((old) => new Map([...old].filter(([each]) => each !== path)));
  }, []);
  /** How often in a row the form was sent with a required field empty. */
  const [incomplete, setIncomplete] = useState(0);
  const { fieldErrors, clear } = change;
  const errors = useMemo(
    () => (incomplete > 0 ? new Map([...fieldErrors, ...missingOf(claimed)]) : fieldErrors),
    [incomplete, fieldErrors, claimed],
  );
  const context = useMemo(() => ({ errors, claim, clear }), [errors, claim, clear]);

  useEffect(() => {
    if (change.failures.length > 0 || incomplete > 0) {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  }, [change.failures, incomplete]);

  return (
    <FormContext value={context}>
      <form
        ref={form}
        aria-label={label}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const isMissing = missingOf(claimed).length > 0;
          setIncomplete(isMissing ? incomplete + 1 : 0);
          if (!isMissing) {
            onSubmit();
          }
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
