import { Navigate, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import { Loaded, Missing, Page } from '../shared';
import { ResourceByPathQuery } from './operations';
import { words } from './words';

/** Leads from the slugs of a resource to its page. */
export function ResourceByPathPage(): ReactNode {
  const { org, slug } = useParams({ from: '/resources/$org/$slug' });
  const load = useLoad(ResourceByPathQuery, { org, slug });
  return (
    <Loaded load={load}>
      {({ resource }) =>
        resource === null ? (
          <Page title={words.one}>
            <Missing text={words.missing} />
          </Page>
        ) : (
          <Navigate to="/resources/$id" params={{ id: resource.id }} replace />
        )
      }
    </Loaded>
  );
}
