import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import type { Permission } from '../api';
import { Loaded, Page } from '../shared';
import { PermissionNamesQuery } from './operations';
import { words } from './words';

/** Stands for a page that the viewer may not see, and names the permission, in the words of the API. */
export function NotAllowed({ needed }: { readonly needed: readonly Permission[] }): ReactNode {
  const load = useLoad(PermissionNamesQuery, {});
  return (
    <Page title={words.notAllowedTitle}>
      <Loaded load={load}>
        {({ permissions }) => {
          const labels = permissions.filter(({ permission }) => needed.includes(permission));
          return <Text>{words.notAllowed(labels.map(({ label }) => label))}</Text>;
        }}
      </Loaded>
    </Page>
  );
}
