import { graphql } from '../../api';
import type { ResultOf } from '../../api';

export const OffBoardQuery = graphql(`
  query OffBoard($userName: String!) {
    viewer {
      user {
        id
      }
    }
    user(by: { userName: $userName }) {
      id
      userName
      displayName
      roles {
        id
        name
      }
      viewerCan {
        deactivate
        delete
      }
      ownedOrgs(first: 100) {
        nodes {
          id
          slug
          name
        }
        totalCount
      }
      ownedResources(first: 100) {
        nodes {
          id
          name
          lock {
            reason
          }
        }
        totalCount
      }
      orgs(first: 100) {
        edges {
          level
          node {
            id
            slug
            name
          }
        }
        totalCount
      }
      groups(first: 100) {
        edges {
          isManager
          node {
            id
            slug
            displayName
          }
        }
        totalCount
      }
      apiTokens(first: 100) {
        nodes {
          id
          name
          prefix
        }
        totalCount
      }
      accessibleResources(first: 20) {
        nodes {
          id
          name
        }
        totalCount
      }
    }
  }
`);

export const OffBoardGrantsQuery = graphql(`
  query OffBoardGrants($userName: String!, $first: Int, $after: String, $last: Int, $before: String) {
    viewer {
      user {
        id
      }
    }
    user(by: { userName: $userName }) {
      id
      grants(first: $first, after: $after, last: $last, before: $before, orderBy: [{ field: NAME }]) {
        edges {
          expiresAt
          roles
          node {
            id
            name
            type {
              roles {
                role
                label
              }
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
`);

export type Leaver = NonNullable<ResultOf<typeof OffBoardQuery>['user']>;
