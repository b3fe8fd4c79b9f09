import { ErrorFields, graphql } from '../api';
import type { ResultOf, VariablesOf } from '../api';
import { ConfigurationFields } from './fragments';

export const PreviewAccessQuery = graphql(
  `
    query PreviewAccess($input: SubmitAccessInput!) {
      viewer {
        user {
          id
        }
      }
      previewAccess(input: $input) {
        changes {
          kind
          group {
            id
            displayName
          }
          user {
            id
            userName
            displayName
          }
          userCount
          gained
          lost
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

export const SubmitAccessMutation = graphql(
  `
    mutation SubmitAccess($input: SubmitAccessInput!) {
      submitAccess(input: $input) {
        resource {
          id
          access {
            ...ConfigurationFields
          }
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ConfigurationFields, ErrorFields],
);

/** The configuration again, after an answer that was lost. */
export const AccessAgainQuery = graphql(
  `
    query AccessAgain($id: ID!) {
      viewer {
        user {
          id
        }
      }
      resource(by: { id: $id }) {
        id
        access {
          ...ConfigurationFields
        }
      }
    }
  `,
  [ConfigurationFields],
);

export const PickGroupsForAccessQuery = graphql(`
  query PickGroupsForAccess(
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: GroupFilter
    $orderBy: [GroupOrder!]
  ) {
    viewer {
      user {
        id
      }
    }
    groups(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
      nodes {
        id
        slug
        displayName
        description
        memberCount
        viewerIsMember
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
`);

export type AccessChange = NonNullable<
  ResultOf<typeof PreviewAccessQuery>['previewAccess']
>['changes'][number];
export type SubmitInput = VariablesOf<typeof SubmitAccessMutation>['input'];
export type PickedGroup = ResultOf<typeof PickGroupsForAccessQuery>['groups']['nodes'][number];
