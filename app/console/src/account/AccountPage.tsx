import { Stack, Tabs, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import { Loaded, Missing, Page, useAddress } from '../shared';
import { OwnStorage } from '../storage';
import { UserTokens } from '../tokens';
import { AccountQuery } from './operations';
import type { Account, AccountUser } from './operations';
import { PasswordTab } from './PasswordTab';
import { ProfileTab } from './ProfileTab';
import { SessionsTab } from './SessionsTab';
import { words } from './words';

const TABS = ['profile', 'password', 'storage', 'tokens', 'sessions'] as const;
type Tab = (typeof TABS)[number];

/** The parameters of the tables of other tabs go when the tab changes. */
const NO_PLACE = { q: undefined, sort: undefined, dir: undefined, after: undefined, before: undefined };

/** The viewer's own account. */
export function AccountPage(): ReactNode {
  const load = useLoad(AccountQuery, {});
  return (
    <Page title={words.title}>
      <Loaded load={load}>
        {(account) =>
          account.viewer.user === null ? (
            <Missing />
          ) : (
            <AccountTabs account={account} user={account.viewer.user} />
          )
        }
      </Loaded>
    </Page>
  );
}

interface AccountTabsProps {
  readonly account: Account;
  readonly user: AccountUser;
}

function AccountTabs({ account, user }: AccountTabsProps): ReactNode {
  const [{ tab }, go] = useAddress();
  const current = TABS.find((each) => each === tab) ?? 'profile';
  return (
    <Tabs
      value={current}
      keepMounted={false}
      onChange={(next) => go({ ...NO_PLACE, tab: next === 'profile' ? undefined : (next ?? undefined) })}
    >
      <Tabs.List mb="md" aria-label={words.tabList}>
        {TABS.map((each) => (
          <Tabs.Tab key={each} value={each}>
            {words.tabs[each]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={current}>
        <TabContent tab={current} account={account} user={user} />
      </Tabs.Panel>
    </Tabs>
  );
}

function TabContent({ tab, account, user }: AccountTabsProps & { readonly tab: Tab }): ReactNode {
  const { can } = account.viewer;
  switch (tab) {
    case 'profile':
      return <ProfileTab account={account} user={user} />;
    case 'password':
      return <PasswordTab mayChange={can.changePassword} userName={user.userName} />;
    case 'storage':
      return <OwnStorage />;
    case 'tokens':
      return (
        <Stack>
          <Text size="sm">{words.tokensText}</Text>
          <UserTokens userName={user.userName} mayCreate={can.createApiTokens} />
        </Stack>
      );
    case 'sessions':
      return <SessionsTab />;
  }
}
