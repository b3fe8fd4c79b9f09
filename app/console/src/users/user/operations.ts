import { graphql } from '../../api';
import type { ResultOf } from '../../api';

const UserFields = graphql(`
  fragment UserFields on User {
    id
    revision
    userName
    displayName
    email
    isServiceAccount
    createdAt
    lastLoginAt
    metadata
    roles {
      id
      name
    }
    storage {
      usedBytes
      quotaBytes
    }
    viewerCan {
      assignRoles
      createApiTokens
      deactivate
      delete
      reactivate
      rename
      resetPassword
      seeAccessibleResources
      seeDetails
      setMetadata
      update
    }
  }
`);

export const UserQuery = graphql(
  `
    query UserPage($userName: String!) {
      viewer {
        user {
          id
        }
      }
      user(by: { userName: $userName }) {
        ...UserFields
      }
      roles(first: 100) {
        nodes {
          id
          name
          description
          permissions
        }
      }
    }
  `,
  [UserFields],
);

export type UserDetails = NonNullable<ResultOf<typeof UserQuery>['user']>;
export type RoleChoice = ResultOf<typeof UserQuery>['roles']['nodes'][number];

export const UserBelongsQuery = graphql(`
  query UserBelongs($userName: String!) {
    viewer {
      user {
        id
      }
    }
    orgLevels {
      level
      label
    }
    user(by: { userName: $userName }) {
      id
      ownedOrgs(first: 100) {
        nodes {
          id
          slug
          name
        }
        totalCount
      }
      orgs(first: 100) {
        edges {
          level
          expiresAt
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
          expiresAt
          node {
            id
            slug
            displayName
          }
        }
        totalCount
      }
    }
  }
`);
