import { ActionIcon, Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../../api';
import { Form, Meanwhile, Unsaved, sharedWords, useEdits, useNotify, joined, phrase } from '../../shared';
import { attributesOf, objectOf, problemOf, rowsOf } from './attributes';
import type { AttributeRow } from './attributes';
import { SetUserMetadataMutation } from './changes';
import type { UserDetails } from './operations';
import { storageWords as words } from './words';

interface Fields {
  readonly rows: readonly AttributeRow[];
}

const textOfRows = (rows: readonly AttributeRow[]): string =>
  joined(rows.map(({ key, value }) => phrase`${key} = ${value}`));

/** The attributes of a user as a table of keys and values. */
export function AttributesForm({ user }: { readonly user: UserDetails }): ReactNode {
  const notify = useNotify();
  const form = useEdits<Fields>({ rows: rowsOf(objectOf(user.metadata)) });
  const { rows } = form.values;
  const [added, setAdded] = useState(-1);
  const setRows = form.set('rows');
  const problem = problemOf(rows);
  const mayChange = user.viewerCan.setMetadata;
  const change = useChange(SetUserMetadataMutation, {
    payload: (data) => data.setUserMetadata,
    touches: ['Storage', 'User'],
  });
  const setRow = (index: number, row: AttributeRow): void =>
    setRows(rows.map((each, place) => (place === index ? row : each)));
  const submit = async (): Promise<void> => {
    const metadata = attributesOf(rows);
    const outcome = await change.run({
      input: { user: { id: user.id }, ifRevision: user.revision, metadata },
    });
    if (outcome.isDone) {
      form.reset({ rows: rowsOf(metadata) }, form.values);
      notify({ kind: 'status', text: sharedWords.saved });
    }
  };
  return (
    <Stack gap="sm">
      <Title order={2} size="h4">
        {words.attributes}
      </Title>
      {rows.length === 0 ? <Text size="sm">{words.none}</Text> : null}
      <Form
        change={change}
        submit={words.saveAttributes}
        onSubmit={() => void submit()}
        isDisabled={!form.isDirty || problem !== null}
        label={words.attributes}
      >
        <Unsaved isDirty={form.isDirty} />
        <Meanwhile
          theirs={form.theirs}
          onTake={form.take}
          describe={{ rows: (theirs) => [words.attributes, textOfRows(theirs)] }}
        />
        {rows.map((row, index) => (
          <Row
            key={index}
            row={row}
            number={index + 1}
            isDisabled={!mayChange}
            invalid={problem?.index === index && form.isDirty ? problem.part : null}
            isNew={index === added}
            onChange={(next) => setRow(index, next)}
            onRemove={() => {
              setAdded(-1);
              setRows(rows.filter((_, place) => place !== index));
            }}
          />
        ))}
        <Text size="xs" c="dimmed" role="status">
          {form.isDirty && problem !== null ? problem.text : words.attributesHint}
        </Text>
        {mayChange ? (
          <Button
            variant="default"
            style={{ alignSelf: 'flex-start' }}
            onClick={() => {
              setRows([...rows, { key: '', value: '' }]);
              setAdded(rows.length);
            }}
          >
            {words.add}
          </Button>
        ) : null}
      </Form>
    </Stack>
  );
}

interface RowProps {
  /** It was just added, and gets the focus. */
  readonly isNew: boolean;
  readonly row: AttributeRow;
  readonly number: number;
  readonly isDisabled: boolean;
  /** The part that the message below the rows is about. */
  readonly invalid: 'key' | 'value' | null;
  readonly onChange: (row: AttributeRow) => void;
  readonly onRemove: () => void;
}

function Row({ row, number, isDisabled, invalid, isNew, onChange, onRemove }: RowProps): ReactNode {
  const key = useRef<HTMLInputElement>(null);
  useEffect(() => (isNew ? key.current?.focus() : undefined), [isNew]);
  return (
    <Group gap="xs" wrap="nowrap" align="flex-end">
      <TextInput
        ref={key}
        flex={1}
        miw={0}
        aria-label={words.keyOf(number)}
        placeholder={words.key}
        value={row.key}
        error={invalid === 'key'}
        disabled={isDisabled}
        onChange={(event) => onChange({ ...row, key: event.currentTarget.value })}
      />
      <TextInput
        flex={2}
        miw={0}
        aria-label={words.valueOf(number)}
        placeholder={words.value}
        value={row.value}
        error={invalid === 'value'}
        disabled={isDisabled}
        onChange={(event) => onChange({ ...row, value: event.currentTarget.value })}
      />
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={words.remove(row.key)}
        disabled={isDisabled}
        onClick={onRemove}
      >
        <IconX size={16} aria-hidden />
      </ActionIcon>
    </Group>
  );
}
