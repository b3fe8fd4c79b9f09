import { MultiSelect, PasswordInput, Select, Switch, TextInput, Textarea } from '@mantine/core';
import type { ReactNode } from 'react';
import { words } from '../words';
import { useField } from './context';

/** What every field has. */
interface BaseProps {
  /** The field of the input of the mutation, such as `userName` or `members.3.user`. */
  readonly path: string;
  readonly label: string;
  readonly description?: string;
  readonly isRequired?: boolean;
  readonly isDisabled?: boolean;
  /** What is wrong with it before anything is sent. It comes before an error of the form. */
  readonly problem?: string | undefined;
  /** Gets the focus when its dialog opens. */
  readonly isFirst?: boolean;
}

interface FieldProps<Value> extends BaseProps {
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

interface TextFieldProps extends FieldProps<string> {
  readonly autoComplete?: string;
  readonly type?: 'text' | 'email' | 'number' | 'search' | 'url';
  readonly maxLength?: number;
}

/** The properties that every field has in common. */
function useCommon(
  { path, label, description, isRequired, isDisabled, isFirst, problem }: BaseProps,
  value: string | boolean | readonly string[],
  areBlanksText = false,
) {
  const requiredLabel = isRequired === true ? label : undefined;
  const field = useField(path, value, { requiredLabel, areBlanksText });
  const error = problem ?? field.error;
  return {
    label,
    error,
    name: path,
    required: isRequired ?? false,
    disabled: isDisabled ?? false,
    'aria-invalid': error !== undefined,
    ...(description === undefined ? {} : { description }),
    ...(isFirst === true ? { 'data-autofocus': true } : {}),
  } as const;
}

export function TextField(props: TextFieldProps): ReactNode {
  const { value, onChange, autoComplete = 'off', type = 'text', maxLength, ...rest } = props;
  const common = useCommon(rest, value);
  return (
    <TextInput
      {...common}
      {...(maxLength === undefined ? {} : { maxLength })}
      type={type}
      autoComplete={autoComplete}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

export function PasswordField(props: FieldProps<string> & { readonly autoComplete: string }): ReactNode {
  const { value, onChange, autoComplete, ...rest } = props;
  const common = useCommon(rest, value, true);
  return (
    <PasswordInput
      {...common}
      autoComplete={autoComplete}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      visibilityToggleFocusable
      visibilityToggleButtonProps={{ 'aria-label': words.showTyped(rest.label) }}
    />
  );
}

/** Several lines of text; with `maxLength` it counts. */
export function AreaField(props: FieldProps<string> & { readonly maxLength?: number }): ReactNode {
  const { value, onChange, maxLength, ...rest } = props;
  const count = maxLength === undefined ? undefined : `${String(value.length)} / ${String(maxLength)}`;
  const description = [rest.description, count].filter((text) => text !== undefined).join(' · ');
  const common = useCommon({ ...rest, ...(description === '' ? {} : { description }) }, value);
  return (
    <Textarea
      {...common}
      autosize
      minRows={2}
      maxRows={12}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

export function SwitchField(props: FieldProps<boolean>): ReactNode {
  const { value, onChange, ...rest } = props;
  const common = useCommon(rest, value);
  return <Switch {...common} checked={value} onChange={(event) => onChange(event.currentTarget.checked)} />;
}

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
  readonly isDisabled?: boolean;
}

const toData = <Value extends string>(choices: readonly Choice<Value>[]) =>
  choices.map(({ value, label, isDisabled = false }) => ({ value, label, disabled: isDisabled }));

interface SelectFieldProps<Value extends string> extends FieldProps<Value> {
  readonly choices: readonly Choice<Value>[];
}

/** One of a few known choices. */
export function SelectField<Value extends string>(props: SelectFieldProps<Value>): ReactNode {
  const { value, onChange, choices, ...rest } = props;
  const common = useCommon(rest, value);
  return (
    <Select
      {...common}
      data={toData(choices)}
      value={value}
      allowDeselect={false}
      onChange={(chosen) => {
        const choice = choices.find((each) => each.value === chosen);
        if (choice !== undefined) {
          onChange(choice.value);
        }
      }}
    />
  );
}

interface MultiSelectFieldProps extends FieldProps<readonly string[]> {
  readonly choices: readonly Choice<string>[];
}

/** Several of a few known choices. */
export function MultiSelectField(props: MultiSelectFieldProps): ReactNode {
  const { value, onChange, choices, ...rest } = props;
  const common = useCommon(rest, value);
  return <MultiSelect {...common} searchable data={toData(choices)} value={[...value]} onChange={onChange} />;
}
