import { Button } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import { Loaded, Missing, Page } from '../shared';
import { LeaveOrg } from './MemberDialogs';
import { OrgQuery } from './operations';
import { OrgTabs } from './OrgTabs';
import { words } from './words';

/** One organization. */
export function OrgPage(): ReactNode {
  const { slug = '' } = useParams({ strict: false });
  const load = useLoad(OrgQuery, { slug });
  const [isLeaving, setIsLeaving] = useState(false);
  const data = load.status === 'ready' ? load.data : null;
  const org = data?.org ?? null;
  const user = data?.viewer.user ?? null;
  const mayLeave = org !== null && user !== null && org.viewerCan.leave;
  return (
    <Page
      title={org?.name ?? slug}
      actions={
        mayLeave ? (
          <Button variant="default" onClick={() => setIsLeaving(true)}>
            {words.leave}
          </Button>
        ) : null
      }
    >
      <Loaded load={load}>
        {({ org: loaded, orgLevels }) =>
          loaded === null ? <Missing text={words.missing} /> : <OrgTabs org={loaded} levels={orgLevels} />
        }
      </Loaded>
      {isLeaving && org !== null && user !== null ? (
        <LeaveOrg org={org} user={user} onClose={() => setIsLeaving(false)} />
      ) : null}
    </Page>
  );
}
