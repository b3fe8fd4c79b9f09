import { graphql } from '../api';
import type { ResultOf } from '../api';
import { HeadFields } from '../resources';
import { RoleInfoFields } from './fragments';

export const PeopleQuery = graphql(
  `
    query People($id: ID!, $first: Int, $after: String, $last: Int, $before: String, $role: ResourceRole) {
      viewer {
        user {
          id
        }
      }
      resource(by: { id: $id }) {
        ...HeadFields
        type {
          roles {
            ...RoleInfoFields
          }
        }
        accessSubjects(first: $first, after: $after, last: $last, before: $before, role: $role) {
          nodes {
            kind
            roles
            memberCount
            user {
              id
              userName
              displayName
            }
            group {
              id
              slug
              displayName
            }
          }
          pageInfo {
            hasNextPage
            hasPreviousPage
            startCursor
            endCursor
          }
        }
      }
    }
  `,
  [HeadFields, RoleInfoFields],
);

/** The count of the people. It takes as long as a page of them, so it is read after the page, and once for all pages. */
export const PeopleCountQuery = graphql(`
  query PeopleCount($id: ID!, $role: ResourceRole) {
    viewer {
      user {
        id
      }
    }
    resource(by: { id: $id }) {
      id
      accessSubjects(role: $role) {
        totalCount
      }
    }
  }
`);

const WayFields = graphql(`
  fragment WayFields on AccessSource {
    kind
    grantedRoles
    effectiveRoles
    expiresAt
    orgLevel
    group {
      id
      displayName
    }
  }
`);

/** What `sourceText` needs beside a source: the owner of the organization, the user, and the labels of levels. */
const SourceContextFields = graphql(`
  fragment SourceContextFields on Query {
    viewer {
      user {
        id
      }
    }
    resource(by: { id: $id }) {
      id
      org {
        id
        owner {
          id
        }
      }
    }
    user(by: { userName: $userName }) {
      id
    }
    orgLevels {
      level
      label
    }
  }
`);

export const WhyQuery = graphql(
  `
    query Why($id: ID!, $userName: String!) {
      ...SourceContextFields
      explainAccess(resource: { id: $id }, user: { userName: $userName }) {
        ...WayFields
      }
    }
  `,
  [SourceContextFields, WayFields],
);

export const CheckPersonQuery = graphql(
  `
    query CheckPerson($id: ID!, $userName: String!, $role: ResourceRole!) {
      ...SourceContextFields
      accessDecision(resource: { id: $id }, role: $role, subject: { user: { userName: $userName } }) {
        outcome
        effectiveRoles
      }
      explainAccess(resource: { id: $id }, user: { userName: $userName }) {
        ...WayFields
      }
      explainDenial(resource: { id: $id }, role: $role, user: { userName: $userName }) {
        cause
        endedAt
        grantedRoles
        kind
        group {
          id
          displayName
        }
      }
    }
  `,
  [SourceContextFields, WayFields],
);

type PeopleResource = NonNullable<ResultOf<typeof PeopleQuery>['resource']>;
export type AccessSubject = NonNullable<PeopleResource['accessSubjects']>['nodes'][number];
