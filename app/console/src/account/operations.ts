import { ErrorFields, graphql } from '../api';
import type { ResultOf } from '../api';

export const AccountQuery = graphql(`
  query Account {
    orgLevels {
      level
      label
    }
    viewer {
      can {
        changePassword
        createApiTokens
      }
      user {
        id
        revision
        userName
        displayName
        email
        metadata
        createdAt
        roles {
          id
          name
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
        ownedOrgs(first: 100) {
          nodes {
            id
            slug
            name
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
  }
`);

export type Account = ResultOf<typeof AccountQuery>;
export type AccountUser = NonNullable<Account['viewer']['user']>;

export const UpdateViewerMutation = graphql(
  `
    mutation UpdateViewer($input: UpdateViewerInput!) {
      updateViewer(input: $input) {
        user {
          id
          revision
          displayName
          email
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const ChangePasswordMutation = graphql(
  `
    mutation ChangePassword($input: ChangePasswordInput!) {
      changePassword(input: $input) {
        session {
          expiresAt
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const SignOutEverywhereMutation = graphql(
  `
    mutation SignOutEverywhere($input: SignOutEverywhereInput!) {
      signOutEverywhere(input: $input) {
        user {
          id
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);
