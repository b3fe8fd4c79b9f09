import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { useViewer } from '../../api';
import type { Org } from '../operations';
import { settingsWords as words } from '../words';
import { DeleteOrg } from './DeleteOrg';
import { EditOrg } from './EditOrg';
import { OrgQuota } from './OrgQuota';
import { Part } from './parts';
import { TransferOrg } from './TransferOrg';

/** What can be changed about an organization itself. Each part is there for who may change it. */
export function SettingsTab({ org }: { readonly org: Org }): ReactNode {
  const managesAll = useViewer()?.permissions.includes('ORGS_MANAGE') ?? false;
  const { viewerCan, viewerIsOwner, storage } = org;
  return (
    <Stack gap="xl" maw={640}>
      {viewerCan.update ? (
        <Part title={words.edit}>
          <EditOrg org={org} />
        </Part>
      ) : null}
      {storage === null ? null : (
        <Part title={words.storage}>
          <OrgQuota org={org} storage={storage} mayChange={managesAll} />
        </Part>
      )}
      {viewerCan.transfer || viewerIsOwner || managesAll ? (
        <Part title={words.transfer}>
          <TransferOrg org={org} />
        </Part>
      ) : null}
      <DeleteOrg org={org} />
    </Stack>
  );
}
