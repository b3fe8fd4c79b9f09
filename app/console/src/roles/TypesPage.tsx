import { Badge, Button, Code, Group, List, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange, useLoad, useViewer } from '../api';
import {
  Form,
  FormDialog,
  Loaded,
  Page,
  SwitchField,
  Table,
  TextField,
  useNotify,
  useTable,
  useValues,
} from '../shared';
import type { Column } from '../shared';
import { CreateTypeMutation, TypesQuery } from './operations';
import type { TypeRow } from './operations';
import { typeWords as words } from './words';

const COLUMNS: readonly Column<TypeRow, never>[] = [
  {
    key: 'name',
    label: words.name,
    cell: ({ name, label, isBuiltIn }) => (
      <Stack gap={4} align="flex-start">
        <Group gap="xs">
          {label}
          {isBuiltIn ? (
            <Badge variant="outline" tt="none">
              {words.builtIn}
            </Badge>
          ) : null}
        </Group>
        <Code>{name}</Code>
      </Stack>
    ),
  },
  { key: 'description', label: words.description, cell: ({ description }) => description },
  {
    key: 'hasData',
    label: words.hasData,
    cell: ({ hasData }) => (hasData ? words.withFiles : words.withoutFiles),
  },
  {
    key: 'roles',
    label: words.roles,
    cell: ({ roles }) => (
      <List size="sm" listStyleType="none">
        {roles.map(({ role, label, description }) => (
          <List.Item key={role}>
            <Text span fw={600} size="sm">
              {label}
            </Text>
            : {description}
          </List.Item>
        ))}
      </List>
    ),
  },
];

/** The types of resources. */
export function TypesPage(): ReactNode {
  const table = useTable();
  const { first, after, last, before } = table.variables;
  const load = useLoad(TypesQuery, { first, after, last, before });
  const [isAdding, setIsAdding] = useState(false);
  const mayCreate = useViewer()?.can.createResourceTypes ?? false;
  return (
    <Page
      title={words.title}
      actions={mayCreate ? <Button onClick={() => setIsAdding(true)}>{words.add}</Button> : null}
    >
      <Text size="sm">{words.intro}</Text>
      <Loaded load={load}>
        {({ resourceTypes }) => (
          <Table<TypeRow, never>
            label={words.title}
            table={table}
            rows={resourceTypes}
            columns={COLUMNS}
            rowId={({ id }) => id}
            rowName={({ label }) => label}
            hasSearch={false}
            empty={<Text>{words.none}</Text>}
          />
        )}
      </Loaded>
      {isAdding ? <AddType onClose={() => setIsAdding(false)} /> : null}
    </Page>
  );
}

function AddType({ onClose }: { readonly onClose: () => void }): ReactNode {
  const notify = useNotify();
  const { values, set } = useValues({ name: '', hasData: true });
  const change = useChange(CreateTypeMutation, {
    payload: (data) => data.createResourceType,
    touches: ['ResourceType'],
  });
  const submit = async (): Promise<void> => {
    const outcome = await change.run({ input: values });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.created(values.name) });
      onClose();
    }
  };
  return (
    <FormDialog onClose={onClose} title={words.add}>
      <Form
        change={change}
        submit={words.create}
        onSubmit={() => void submit()}
        onCancel={onClose}
        label={words.add}
      >
        <TextField
          path="name"
          label={words.name}
          description={words.nameHint}
          value={values.name}
          onChange={set('name')}
          isRequired
          isFirst
        />
        <SwitchField
          path="hasData"
          label={words.hasData}
          description={words.hasDataHint}
          value={values.hasData}
          onChange={set('hasData')}
        />
      </Form>
    </FormDialog>
  );
}
