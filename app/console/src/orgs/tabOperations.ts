import { graphql } from '../api';
import type { ResultOf } from '../api';

export const OrgResourcesQuery = graphql(`
  query OrgResources(
    $slug: String!
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
      }
    }
    org(by: { slug: $slug }) {
      id
      resources(
        first: $first
        after: $after
        last: $last
        before: $before
        filter: $filter
        orderBy: $orderBy
      ) {
        nodes {
          id
          slug
          name
          sizeBytes
          updatedAt
          type {
            id
            label
          }
          owner {
            id
            userName
            displayName
          }
          lock {
            reason
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
`);

export const OrgMembersQuery = graphql(`
  query OrgMembers(
    $slug: String!
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: OrgMemberFilter
    $orderBy: [OrgMemberOrder!]
  ) {
    viewer {
      user {
        id
      }
    }
    org(by: { slug: $slug }) {
      id
      members(
        first: $first
        after: $after
        last: $last
        before: $before
        filter: $filter
        orderBy: $orderBy
      ) {
        edges {
          level
          expiresAt
          addedAt
          addedByName
          addedBy {
            id
            displayName
          }
          node {
            id
            userName
            displayName
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
`);

export type OrgResource = NonNullable<
  NonNullable<ResultOf<typeof OrgResourcesQuery>['org']>['resources']
>['nodes'][number];

export type Members = NonNullable<NonNullable<ResultOf<typeof OrgMembersQuery>['org']>['members']>;
export type Member = Members['edges'][number];
