import { Badge, Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useViewer } from '../api';
import { LinkTo, Loaded, OrHidden, Page, useAddress } from '../shared';
import { RolesQuery } from './operations';
import type { PermissionInfo, RoleRow } from './operations';
import { AddRole, DeleteRole, EditRole } from './RoleDialogs';
import { words } from './words';

type Dialog = { readonly kind: 'add' } | { readonly kind: 'edit' | 'delete'; readonly role: RoleRow };

/** The system roles. Everybody signed in reads them. */
export function RolesPage(): ReactNode {
  const load = useLoad(RolesQuery, {});
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [{ role: marked }] = useAddress();
  const mayCreate = useViewer()?.can.createRoles ?? false;
  return (
    <Page
      title={words.title}
      actions={mayCreate ? <Button onClick={() => setDialog({ kind: 'add' })}>{words.add}</Button> : null}
    >
      <Text size="sm">{words.intro}</Text>
      <Loaded load={load}>
        {({ roles, permissions }) => (
          <>
            {roles.totalCount > roles.nodes.length ? <Text>{words.more(roles.totalCount)}</Text> : null}
            {roles.nodes.map((role) => (
              <RoleCard
                key={role.id}
                role={role}
                all={permissions}
                isMarked={role.name === marked}
                onOpen={mayCreate && !role.isBuiltIn ? setDialog : null}
              />
            ))}
            <Dialogs dialog={dialog} roles={roles.nodes} all={permissions} onClose={() => setDialog(null)} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

interface DialogsProps {
  readonly dialog: Dialog | null;
  readonly roles: readonly RoleRow[];
  readonly all: readonly PermissionInfo[];
  readonly onClose: () => void;
}

function Dialogs({ dialog, roles, all, onClose }: DialogsProps): ReactNode {
  // As it is stored now, or as it was before somebody deleted it.
  const now = (role: RoleRow): RoleRow => roles.find(({ id }) => id === role.id) ?? role;
  switch (dialog?.kind) {
    case undefined:
      return null;
    case 'add':
      return <AddRole all={all} onClose={onClose} />;
    case 'edit':
      return <EditRole role={now(dialog.role)} all={all} onClose={onClose} />;
    case 'delete':
      return <DeleteRole role={now(dialog.role)} onClose={onClose} />;
  }
}

interface RoleCardProps {
  readonly role: RoleRow;
  readonly all: readonly PermissionInfo[];
  readonly isMarked: boolean;
  /** Null for who may not change it, and for built-in roles. */
  readonly onOpen: ((dialog: Dialog) => void) | null;
}

function RoleCard({ role, all, isMarked, onOpen }: RoleCardProps): ReactNode {
  const { name, description, permissions, isBuiltIn, users } = role;
  const labels = new Map(all.map(({ permission, label }) => [permission, label]));
  return (
    <Paper
      withBorder
      p="md"
      component="section"
      aria-label={name}
      {...(isMarked ? { 'aria-current': true, bd: '2px solid var(--mantine-primary-color-filled)' } : {})}
    >
      <Group justify="space-between" align="flex-start">
        <Stack gap={4} flex={1} miw={200}>
          <Group gap="xs">
            <Title order={2} size="h4">
              {name}
            </Title>
            {isBuiltIn ? (
              <Badge variant="outline" tt="none">
                {words.builtIn}
              </Badge>
            ) : null}
          </Group>
          {description === '' ? null : <Text size="sm">{description}</Text>}
          <Group gap={4}>
            {permissions.length === 0 ? <Text size="sm">{words.noPermissions}</Text> : null}
            {permissions.map((permission) => (
              <Badge key={permission} variant="light" autoContrast tt="none" fw={500}>
                {labels.get(permission) ?? permission}
              </Badge>
            ))}
          </Group>
          <Text size="sm" component="div">
            {words.holders}:{' '}
            <OrHidden value={users}>
              {({ totalCount }) => (
                <LinkTo to="/settings/users" search={{ role: name }}>
                  {words.showHolders(totalCount)}
                </LinkTo>
              )}
            </OrHidden>
          </Text>
        </Stack>
        {onOpen === null ? null : <RoleActs role={role} onOpen={onOpen} />}
      </Group>
    </Paper>
  );
}

interface RoleActsProps {
  readonly role: RoleRow;
  readonly onOpen: (dialog: Dialog) => void;
}

function RoleActs({ role, onOpen }: RoleActsProps): ReactNode {
  return (
    <Group gap="xs">
      <Button
        size="xs"
        variant="default"
        aria-label={words.editOf(role.name)}
        onClick={() => onOpen({ kind: 'edit', role })}
      >
        {words.edit}
      </Button>
      <Button
        size="xs"
        variant="default"
        aria-label={words.deleteOf(role.name)}
        onClick={() => onOpen({ kind: 'delete', role })}
      >
        {words.delete}
      </Button>
    </Group>
  );
}
