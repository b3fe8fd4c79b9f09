import { Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { AccessPanel } from '../access';
import { useLoad } from '../api';
import type { ResultOf } from '../api';
import { LockPanel } from '../locks';
import { Loaded, Missing, Page } from '../shared';
import { ResourceSettingsQuery } from './operations';
import { ResourceFrame } from './ResourceFrame';
import { words } from './words';

type Resource = NonNullable<ResultOf<typeof ResourceSettingsQuery>['resource']>;

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

function Settings({ resource }: { readonly resource: Resource }): ReactNode {
  const { access } = resource;
  if (access === null) {
    return <Text>{words.administratorsOnly}</Text>;
  }
  return (
    <>
      <AccessPanel resource={resource} configuration={access} title={words.accessControl} />
      <LockPanel resource={resource} />
    </>
  );
}
