import { ErrorFields } from './fragments';
import { graphql } from './graphql';
import type { ResultOf } from './graphql';

/** What the frame shows on every page: who is signed in, what the menu needs, the storage bar. */
export const FrameQuery = graphql(`
  query Frame {
    viewer {
      user {
        id
        userName
        displayName
        storage {
          quotaBytes
          usedBytes
        }
      }
      permissions
      hasDefaultPassword
      can {
        changePassword
        createApiTokens
        createGroups
        createOrgs
        createResourceTypes
        createRoles
        createUsers
        seeAllAccess
        seeAllOrgsAndResources
        seeAllUsers
        seeAuditEvents
      }
    }
    registry {
      passwordPolicy {
        minLength
        requiresDigit
        requiresLowercase
        requiresUppercase
        requiresNonAlphanumeric
      }
    }
  }
`);

export const SignInMutation = graphql(
  `
    mutation SignIn($input: LoginInput!) {
      login(input: $input) {
        session {
          expiresAt
          user {
            id
            userName
          }
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const SignOutMutation = graphql(
  `
    mutation SignOut {
      logout {
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export type PasswordPolicy = NonNullable<ResultOf<typeof FrameQuery>['registry']['passwordPolicy']>;
export type FrameViewer = ResultOf<typeof FrameQuery>['viewer'];
export type FrameUser = NonNullable<FrameViewer['user']>;
