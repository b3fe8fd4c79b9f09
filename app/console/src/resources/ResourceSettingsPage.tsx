import { Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { AccessPanel } from '../access';
import { useLoad } from '../api';
import { LockPanel } from '../locks';
import { Loaded, Missing, Page } from '../shared';
import { DeleteResource } from './DeleteResource';
import { ResourceSettingsQuery } from './operations';
import type { ResourceSettings } from './operations';
import { ResourceFrame } from './ResourceFrame';
import { TransferResource } from './TransferResource';
import { words } from './words';

/** The settings of a resource: access, lock, transfer, deletion. For its administrators. */
export function ResourceSettingsPage(): ReactNode {
  const { id } = useParams({ from: '/resources/$id/settings' });
  const load = useLoad(ResourceSettingsQuery, { id });
  return (
    <Loaded load={load}>
      {({ resource }) =>
        resource === null ? (
          <Page title={words.one}>
            <Missing text={words.missing} />
          </Page>
        ) : (
          <ResourceFrame resource={resource} hasLock>
            <Settings resource={resource} />
          </ResourceFrame>
        )
      }
    </Loaded>
  );
}

function Settings({ resource }: { readonly resource: ResourceSettings }): ReactNode {
  const { access } = resource;
  if (access === null) {
    return <Text>{words.administratorsOnly}</Text>;
  }
  return (
    <>
      <AccessPanel resource={resource} configuration={access} title={words.accessControl} />
      <LockPanel resource={resource} />
      <TransferResource resource={resource} />
      <DeleteResource resource={resource} />
    </>
  );
}
