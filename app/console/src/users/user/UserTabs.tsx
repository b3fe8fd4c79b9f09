import { Tabs } from '@mantine/core';
import type { ReactNode } from 'react';
import { useAddress } from '../../shared';
import { BelongsTab } from './BelongsTab';
import { AccessTab } from './AccessTab';
import { AttributesTab } from './AttributesTab';
import { AuditTab } from './AuditTab';
import type { RoleChoice, UserDetails } from './operations';
import { ProfileTab } from './ProfileTab';
import { TokensTab } from './TokensTab';
import { words } from './words';

const TABS = ['profile', 'belongs', 'attributes', 'tokens', 'access', 'audit'] as const;

/** The parameters of the tables of other tabs go when the tab changes. */
const NO_PLACE = { q: undefined, sort: undefined, dir: undefined, after: undefined, before: undefined };

interface UserTabsProps {
  readonly user: UserDetails;
  readonly roles: readonly RoleChoice[];
}

/** The parts of one user, each with a read of its own. */
export function UserTabs({ user, roles }: UserTabsProps): ReactNode {
  const [{ tab }, go] = useAddress();
  const current = TABS.find((each) => each === tab) ?? 'profile';
  return (
    <Tabs
      value={current}
      keepMounted={false}
      onChange={(next) => go({ ...NO_PLACE, tab: next === 'profile' ? undefined : (next ?? undefined) })}
    >
      <Tabs.List mb="md" aria-label={words.tabList(user.userName)}>
        {TABS.map((each) => (
          <Tabs.Tab key={each} value={each}>
            {words.tabs[each]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={current}>
        {current === 'profile' ? <ProfileTab user={user} roles={roles} /> : null}
        {current === 'belongs' ? <BelongsTab user={user} /> : null}
        {current === 'attributes' ? <AttributesTab user={user} /> : null}
        {current === 'tokens' ? <TokensTab user={user} /> : null}
        {current === 'access' ? <AccessTab user={user} /> : null}
        {current === 'audit' ? <AuditTab user={user} /> : null}
      </Tabs.Panel>
    </Tabs>
  );
}
