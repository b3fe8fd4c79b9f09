import { graphql } from '../api';
import type { ResultOf } from '../api';

const RowFields = graphql(`
  fragment UserRow on User {
    id
    userName
    displayName
    email
    isServiceAccount
    createdAt
    lastLoginAt
    roles {
      id
      name
    }
    orgs(first: 1) {
      totalCount
    }
    ownedResources(first: 1) {
      totalCount
    }
    storage {
      usedBytes
      quotaBytes
    }
  }
`);

export const UsersQuery = graphql(
  `
    query Users(
      $first: Int
      $after: String
      $last: Int
      $before: String
      $filter: UserFilter
      $orderBy: [UserOrder!]
    ) {
      viewer {
        user {
          id
        }
      }
      users(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
        nodes {
          ...UserRow
        }
        totalCount
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
      }
      roles(first: 100) {
        nodes {
          id
          name
        }
      }
    }
  `,
  [RowFields],
);

export const UsersExportQuery = graphql(`
  query UsersExport($first: Int, $after: String, $filter: UserFilter, $orderBy: [UserOrder!]) {
    users(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      nodes {
        id
        userName
        displayName
        email
        isServiceAccount
        metadata
        roles {
          id
          name
        }
      }
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export type UserRow = ResultOf<typeof UsersQuery>['users']['nodes'][number];
export type ExportedUser = ResultOf<typeof UsersExportQuery>['users']['nodes'][number];
