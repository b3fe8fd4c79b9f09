import { Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import { LinkTo, Loaded, Missing, Page } from '../shared';
import { Grants } from './offboard/Grants';
import { Holdings } from './offboard/Holdings';
import { OffBoardForm } from './offboard/OffBoardForm';
import { OffBoardQuery } from './offboard/operations';
import { words } from './offboard/words';

/** Somebody leaves: all they own and hold, a successor, one act. */
export function OffBoardPage(): ReactNode {
  const { userName = '' } = useParams({ strict: false });
  const load = useLoad(OffBoardQuery, { userName });
  return (
    <Page title={words.title(userName)}>
      <Loaded load={load}>
        {({ user }) =>
          user === null ? (
            <Missing text={words.missing} />
          ) : (
            <>
              <Text size="sm">{words.intro(user.displayName ?? user.userName)}</Text>
              <LinkTo to="/settings/users/$userName" params={{ userName }}>
                {words.account(user.userName)}
              </LinkTo>
              <Holdings user={user} />
              <Grants userName={user.userName} />
              <OffBoardForm user={user} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}
