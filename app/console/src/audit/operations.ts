import { graphql } from '../api';
import type { ResultOf } from '../api';

export const AuditQuery = graphql(`
  query Audit(
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: AuditEventFilter
    $orderBy: [AuditEventOrder!]
  ) {
    viewer {
      user {
        id
      }
    }
    auditEvents(
      first: $first
      after: $after
      last: $last
      before: $before
      filter: $filter
      orderBy: $orderBy
    ) {
      nodes {
        id
        createdAt
        actorName
        action
        channel
        address
        requestId
        changes(first: 3) {
          totalCount
          nodes {
            objectId
            objectType
            objectName
          }
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
`);

export const AuditEventQuery = graphql(`
  query AuditEventDetails($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    node(id: $id) {
      ... on AuditEvent {
        id
        changes(first: $first, after: $after, last: $last, before: $before) {
          nodes {
            objectId
            objectType
            objectName
            before
            after
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

export type AuditRow = NonNullable<ResultOf<typeof AuditQuery>['auditEvents']>['nodes'][number];
export type ChangedObject = NonNullable<AuditRow['changes']>['nodes'][number];
