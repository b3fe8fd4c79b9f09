import { graphql } from '../api';
import type { ResultOf } from '../api';

export const StorageQuery = graphql(`
  query Storage(
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: ResourceFilter
    $orderBy: [ResourceOrder!]
  ) {
    viewer {
      user {
        id
        storage {
          quotaBytes
          usedBytes
        }
        ownedResources(
          first: $first
          after: $after
          last: $last
          before: $before
          filter: $filter
          orderBy: $orderBy
        ) {
          nodes {
            id
            name
            sizeBytes
            org {
              id
              name
            }
          }
          totalCount
          pageInfo {
            hasNextPage
            hasPreviousPage
            startCursor
            endCursor
          }
        }
      }
    }
  }
`);

type StorageUser = NonNullable<ResultOf<typeof StorageQuery>['viewer']['user']>;
export type OwnedResource = NonNullable<StorageUser['ownedResources']>['nodes'][number];
