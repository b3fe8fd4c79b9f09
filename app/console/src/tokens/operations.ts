import { ErrorFields, graphql } from '../api';
import type { ResultOf } from '../api';

const TokenFields = graphql(`
  fragment TokenRow on ApiToken {
    id
    name
    prefix
    createdAt
    expiresAt
    lastUsedAt
    isLimited
    permissions
    orgs {
      id
      name
    }
    resources {
      id
      name
    }
    user {
      id
      userName
    }
  }
`);

export const TokensQuery = graphql(
  `
    query Tokens($first: Int, $after: String, $last: Int, $before: String) {
      viewer {
        user {
          id
        }
      }
      apiTokens(first: $first, after: $after, last: $last, before: $before) {
        nodes {
          ...TokenRow
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
  `,
  [TokenFields],
);

export const UserTokensQuery = graphql(
  `
    query UserTokens($userName: String!, $first: Int, $after: String, $last: Int, $before: String) {
      viewer {
        user {
          id
        }
      }
      user(by: { userName: $userName }) {
        id
        apiTokens(first: $first, after: $after, last: $last, before: $before) {
          nodes {
            ...TokenRow
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
      permissions {
        permission
        label
      }
    }
  `,
  [TokenFields],
);

export type TokenRow = ResultOf<typeof TokensQuery>['apiTokens']['nodes'][number];
export type PermissionLabel = ResultOf<typeof UserTokensQuery>['permissions'][number];

/** `token` is shown once. It is kept nowhere: it is gone when the dialog closes. */
export const CreateTokenMutation = graphql(
  `
    mutation CreateToken($input: CreateApiTokenInput!) {
      createApiToken(input: $input) {
        token
        apiToken {
          id
          name
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const RevokeTokenMutation = graphql(
  `
    mutation RevokeToken($input: RevokeApiTokenInput!) {
      revokeApiToken(input: $input) {
        revokedApiTokenId
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);
