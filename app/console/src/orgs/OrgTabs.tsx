import { Badge, Group, Stack, Tabs, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useViewer } from '../api';
import { Time, useAddress } from '../shared';
import { OwnerText } from './columns';
import { MembersTab } from './MembersTab';
import type { Level, Org } from './operations';
import { ResourcesTab } from './ResourcesTab';
import { SettingsTab } from './settings/SettingsTab';
import { words } from './words';

const TABS = ['resources', 'members', 'settings'] as const;
type Tab = (typeof TABS)[number];

/** The parameters of the tables of other tabs go when the tab changes. */
const NO_PLACE = {
  q: undefined,
  sort: undefined,
  dir: undefined,
  after: undefined,
  before: undefined,
  lock: undefined,
  level: undefined,
};

interface OrgTabsProps {
  readonly org: Org;
  readonly levels: readonly Level[];
}

/** Return the parts that the viewer has a use for. */
function useTabs({ viewerCan, storage }: Org): readonly Tab[] {
  const managesAll = useViewer()?.permissions.includes('ORGS_MANAGE') ?? false;
  const hasSettings =
    viewerCan.update || viewerCan.transfer || viewerCan.delete || storage !== null || managesAll;
  return TABS.filter((tab) =>
    tab === 'settings' ? hasSettings : tab === 'resources' || viewerCan.seeMembers,
  );
}

/** What is known of an organization, and its parts, each with a read of its own. */
export function OrgTabs({ org, levels }: OrgTabsProps): ReactNode {
  const [{ tab }, go] = useAddress();
  const tabs = useTabs(org);
  const current = tabs.find((each) => each === tab) ?? 'resources';
  return (
    <>
      <Facts org={org} levels={levels} />
      <Tabs
        value={current}
        keepMounted={false}
        onChange={(next) => go({ ...NO_PLACE, tab: next === 'resources' ? undefined : (next ?? undefined) })}
      >
        <Tabs.List mb="md" aria-label={words.tabList(org.name)}>
          {tabs.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {words.tabs[each]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={current}>
          {current === 'resources' ? <ResourcesTab org={org} /> : null}
          {current === 'members' ? <MembersTab org={org} levels={levels} /> : null}
          {current === 'settings' ? <SettingsTab key={org.id} org={org} /> : null}
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Facts({ org, levels }: OrgTabsProps): ReactNode {
  const { slug, isPublic, description, owner, viewerIsOwner, viewerLevel, createdAt } = org;
  const level = levels.find((each) => each.level === viewerLevel)?.label ?? null;
  const own = viewerIsOwner ? words.ownerLevel : level;
  return (
    <Stack gap="xs" component="section" aria-label={words.facts}>
      {description === '' ? null : <Text style={{ whiteSpace: 'pre-wrap' }}>{description}</Text>}
      <Group gap="md">
        <Badge variant="outline" tt="none">
          {isPublic ? words.public : words.private}
        </Badge>
        <Fact label={words.slug}>{slug}</Fact>
        <Fact label={words.owner}>
          <OwnerText user={owner} />
        </Fact>
        {own === null ? null : <Fact label={words.yourLevel}>{own}</Fact>}
        <Fact label={words.made}>
          <Time value={createdAt} />
        </Fact>
      </Group>
    </Stack>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  return (
    <Text size="sm" component="div">
      {label}: {children}
    </Text>
  );
}
