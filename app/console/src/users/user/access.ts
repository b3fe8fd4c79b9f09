import { graphql } from '../../api';

export const UserReachQuery = graphql(`
  query UserReach(
    $userName: String!
    $first: Int
    $after: String
    $last: Int
    $before: String
    $orderBy: [ResourceOrder!]
  ) {
    viewer {
      user {
        id
      }
    }
    user(by: { userName: $userName }) {
      id
      accessibleResources(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {
        nodes {
          id
          slug
          name
          type {
            id
            label
          }
          org {
            id
            slug
            name
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

export const UserWhyQuery = graphql(`
  query UserWhy($userName: String!, $resource: ID!) {
    resource(by: { id: $resource }) {
      id
      type {
        id
        roles {
          role
          label
        }
      }
      org {
        id
        owner {
          id
        }
      }
    }
    orgLevels {
      level
      label
    }
    explainAccess(user: { userName: $userName }, resource: { id: $resource }) {
      kind
      orgLevel
      expiresAt
      effectiveRoles
      group {
        id
        slug
        displayName
      }
    }
  }
`);
