import { Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useSession } from '../api';
import { Loaded, Missing, Table, useTable } from '../shared';
import { COLUMNS } from './columns';
import { CreateToken } from './CreateToken';
import { UserTokensQuery } from './operations';
import type { TokenRow } from './operations';
import { RevokeToken } from './RevokeToken';
import { words } from './words';

interface UserTokensProps {
  readonly userName: string;
  /** As the API says it. */
  readonly mayCreate: boolean;
}

/** The API tokens of one user. */
export function UserTokens({ userName, mayCreate }: UserTokensProps): ReactNode {
  const table = useTable();
  const session = useSession();
  const [isCreating, setIsCreating] = useState(false);
  const { first, after, last, before } = table.variables;
  const load = useLoad(UserTokensQuery, { userName, first, after, last, before });
  const isOwn = 'user' in session && session.user.userName === userName;
  const mayRevoke = isOwn || ('viewer' in session && session.viewer.permissions.includes('USERS_MANAGE'));
  const create = mayCreate ? <Button onClick={() => setIsCreating(true)}>{words.create}</Button> : null;
  return (
    <Loaded load={load}>
      {({ user, permissions }) =>
        user === null ? (
          <Missing />
        ) : (
          <>
            <Group justify="flex-end" mb="sm">
              {create}
            </Group>
            <Table<TokenRow, never>
              label={words.table}
              table={table}
              rows={user.apiTokens}
              columns={COLUMNS}
              rowId={({ id }) => id}
              rowName={({ name }) => name}
              hasSearch={false}
              empty={<Text>{words.none}</Text>}
              {...(mayRevoke ? { actions: (token: TokenRow) => <RevokeToken token={token} /> } : {})}
            />
            {isCreating ? (
              <CreateToken {...{ userName, permissions }} onClose={() => setIsCreating(false)} />
            ) : null}
          </>
        )
      }
    </Loaded>
  );
}
