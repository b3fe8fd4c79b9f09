import { Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useField } from '../Form';
import { fromLocalInput, isSkippedTime, toLocalInput, zoneName } from '../times';
import { END_KINDS, momentOf } from './choices';
import type { EndKind } from './choices';
import { words } from './words';

interface EndsFieldProps {
  /** The moment; null for no end. */
  readonly value: string | null;
  /** Called with each valid moment. */
  readonly onChange: (value: string | null) => void;
  /** Called when it becomes valid or invalid: an empty date, or one in the past. */
  readonly onValidity?: (isValid: boolean) => void;
  /** The field of the input of the mutation. */
  readonly path?: string;
  readonly label?: string;
  readonly isDisabled?: boolean;
}

const data = END_KINDS.map((kind) => ({ value: kind, label: words[kind] }));

/** An end: none, 30 days, 90 days, a year, or a date and time in local time. */
export function EndsField(props: EndsFieldProps): ReactNode {
  const { value, onChange, onValidity, path = 'expiresAt', label = words.label, isDisabled = false } = props;
  const [kind, setKind] = useState<EndKind>(value === null ? 'none' : 'date');
  const [text, setText] = useState(value === null ? '' : toLocalInput(value));
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [last, setLast] = useState(value);
  // The form has another end by now: what somebody else has stored.
  if (value !== last) {
    setLast(value);
    setKind(value === null ? 'none' : 'date');
    setText(value === null ? '' : toLocalInput(value));
    setProblem(undefined);
  }
  const { error } = useField(path, `${kind} ${text}`);

  const tell = (next: string | undefined): void => {
    setProblem(next);
    onValidity?.(next === undefined);
  };
  const change = (moment: string | null): void => {
    setLast(moment);
    onChange(moment);
  };
  const choose = (chosen: string | null): void => {
    const next = END_KINDS.find((each) => each === chosen);
    if (next === undefined) {
      return;
    }
    setKind(next);
    const moment = momentOf(next, Date.now());
    if (moment === undefined) {
      tell(text === '' ? words.invalid : undefined);
    } else {
      tell(undefined);
      setText(moment === null ? '' : toLocalInput(moment));
      change(moment);
    }
  };
  const type = (typed: string): void => {
    setText(typed);
    const moment = fromLocalInput(typed);
    if (moment === null) {
      tell(words.invalid);
    } else if (isSkippedTime(typed)) {
      tell(words.skipped);
    } else if (Date.parse(moment) <= Date.now()) {
      tell(words.past);
    } else {
      tell(undefined);
      change(moment);
    }
  };
  const message = problem ?? error;
  return (
    <Stack gap="xs">
      <Select
        label={label}
        data={data}
        value={kind}
        onChange={choose}
        allowDeselect={false}
        disabled={isDisabled}
        error={kind === 'date' ? undefined : message}
      />
      {kind === 'date' ? (
        <TextInput
          type="datetime-local"
          label={words.moment(zoneName())}
          value={text}
          onChange={(event) => type(event.currentTarget.value)}
          disabled={isDisabled}
          error={message}
        />
      ) : null}
    </Stack>
  );
}
