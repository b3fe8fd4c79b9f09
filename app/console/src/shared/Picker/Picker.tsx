import { phrase } from '../phrase';
import { Autocomplete } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useField } from '../Form';
import { pickedOf } from './options';
import type { Option } from './options';
import { searchText } from '../search';
import { useDebounced } from './useDebounced';

export interface PickerProps {
  /** The field of the input of the mutation. */
  readonly path: string;
  readonly label: string;
  readonly description?: string;
  /** What is typed or picked. */
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** What is wrong with it before anything is sent. An error of the form comes first. */
  readonly problem?: string | null;
  readonly isRequired?: boolean;
  readonly isFirst?: boolean;
  /** The label is read out alone, and the empty field has it as its text. */
  readonly isLabelHidden?: boolean;
  /** Called with what was picked, and with what was typed when the field is left or sent by Enter. */
  readonly onCommit?: (value: string) => void;
}

interface BarePickerProps extends PickerProps {
  /** Return what matches a text, as a hook; it gets the text when no key was pressed for 300 ms. */
  readonly useOptions: (search: string) => readonly Option[];
}

/** A text with suggestions. What is not suggested can be typed; the server says if it is wrong. */
export function Picker(props: BarePickerProps): ReactNode {
  const {
    path,
    label,
    description,
    value,
    onChange,
    problem,
    isRequired = false,
    isFirst = false,
    isLabelHidden = false,
    onCommit,
    useOptions,
  } = props;
  const [isOpen, setIsOpen] = useState(false);
  const [isListed, setIsListed] = useState(false);
  const { error: refusal } = useField(path, value, { requiredLabel: isRequired ? label : undefined });
  const error = refusal ?? problem ?? undefined;
  const search = useDebounced(searchText(value));
  const options = useOptions(isOpen ? search : '');
  const labels = new Map(options.map((option) => [option.value, option.label]));
  return (
    <Autocomplete
      {...(isLabelHidden ? { 'aria-label': label, placeholder: label } : { label })}
      {...(description === undefined ? {} : { description })}
      value={value}
      onChange={onChange}
      data={options.map((option) => option.value)}
      filter={({ options: all }) => all}
      renderOption={({ option }) => (
        <span>
          <bdi>{option.value}</bdi>
          {labels.get(option.value) === option.value ? null : phrase` · ${labels.get(option.value) ?? ''}`}
        </span>
      )}
      required={isRequired}
      error={error}
      {...(refusal === undefined ? { errorProps: { role: 'alert' } } : {})}
      aria-invalid={error !== undefined}
      autoComplete="off"
      styles={{ options: { maxHeight: 400, overflowY: 'auto' } }}
      // An empty list is closed: else it would take the press of Esc that is meant for the dialog.
      dropdownOpened={isListed && options.length > 0}
      onDropdownOpen={() => setIsListed(true)}
      onDropdownClose={() => setIsListed(false)}
      onFocus={() => setIsOpen(true)}
      onBlur={() => {
        setIsOpen(false);
        setIsListed(false);
        onCommit?.(pickedOf(value, options));
      }}
      onKeyDown={(event) => (event.key === 'Enter' ? onCommit?.(pickedOf(value, options)) : undefined)}
      {...(onCommit === undefined ? {} : { onOptionSubmit: onCommit })}
      {...(isFirst ? { 'data-autofocus': true } : {})}
    />
  );
}
