import { graphql } from '../api';
import type { ResultOf } from '../api';
import { HeadFields } from '../resources';

export const HistoryQuery = graphql(
  `
    query ResourceHistory($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
      viewer {
        user {
          id
        }
      }
      resource(by: { id: $id }) {
        ...HeadFields
        type {
          roles {
            role
            label
          }
        }
        access {
          groups {
            group {
              id
              slug
              displayName
            }
          }
        }
        auditEvents(first: $first, after: $after, last: $last, before: $before) {
          edges {
            before
            after
            node {
              id
              action
              actorName
              createdAt
              actor {
                id
                displayName
              }
            }
          }
          pageInfo {
            hasNextPage
            hasPreviousPage
            startCursor
            endCursor
          }
          totalCount
        }
      }
    }
  `,
  [HeadFields],
);

export type HistoryResource = NonNullable<ResultOf<typeof HistoryQuery>['resource']>;
export type HistoryEdge = NonNullable<HistoryResource['auditEvents']>['edges'][number];
