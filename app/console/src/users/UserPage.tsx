import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useLoad, useViewer } from '../api';
import { ButtonTo, Loaded, Missing, Page } from '../shared';
import { UserQuery } from './user/operations';
import { UserTabs } from './user/UserTabs';
import { words } from './user/words';

/** One user. */
export function UserPage(): ReactNode {
  const { userName = '' } = useParams({ strict: false });
  const load = useLoad(UserQuery, { userName });
  const name = (load.status === 'ready' ? load.data.user?.displayName : null) ?? userName;
  const isThere = load.status === 'ready' && load.data.user !== null;
  const mayOffBoard = useViewer()?.permissions.includes('USERS_MANAGE') ?? false;
  return (
    <Page
      title={name}
      actions={
        isThere && mayOffBoard ? (
          <ButtonTo to="/settings/users/$userName/off-board" params={{ userName }} variant="default">
            {words.offBoard}
          </ButtonTo>
        ) : null
      }
    >
      <Loaded load={load}>
        {({ user, roles }) =>
          user === null ? (
            <Missing text={words.missing} />
          ) : (
            <UserTabs key={user.id} user={user} roles={roles.nodes} />
          )
        }
      </Loaded>
    </Page>
  );
}
