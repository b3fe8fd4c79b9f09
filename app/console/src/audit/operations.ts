import { graphql } from '../api';
import type { ResultOf } from '../api';

export const AuditQuery = graphql(`
  query Audit(
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: AuditEventFilter
    $orderBy: [AuditEventOrder!]
  ) {
    viewer {
      user {
        id
      }
    }
    auditEvents(
      first: $first
      after: $after
      last: $last
      before: $before
      filter: $filter
      orderBy: $orderBy
    ) {
      nodes {
        id
        createdAt
        actorName
        action
        channel
        address
        requestId
        changes(first: 6) {
          totalCount
          nodes {
            objectId
            objectType
            objectName
          }
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
`);

export const AuditEventQuery = graphql(`
  query AuditEventDetails($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    node(id: $id) {
      ... on AuditEvent {
        id
        changes(first: $first, after: $after, last: $last, before: $before) {
          nodes {
            objectId
            objectType
            objectName
            before
            after
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
  }
`);

/** The labels of all names that a value of the log may have. */
export const AuditLabelsQuery = graphql(`
  query AuditLabels {
    viewer {
      user {
        id
      }
    }
    permissions {
      permission
      label
    }
    orgLevels {
      level
      label
    }
    resourceTypes(first: 100) {
      nodes {
        name
        label
        roles {
          role
          label
        }
      }
    }
  }
`);

export type AuditRow = NonNullable<ResultOf<typeof AuditQuery>['auditEvents']>['nodes'][number];
export type ChangedObject = NonNullable<AuditRow['changes']>['nodes'][number];

/** The names of an object that was chosen by its id. */
const AuditObject = graphql(`
  fragment AuditObject on Node {
    __typename
    ... on User {
      id
      userName
      displayName
    }
    ... on Org {
      id
      slug
      orgName: name
    }
    ... on Group {
      id
      slug
      groupName: displayName
    }
    ... on Resource {
      id
      slug
      name
    }
    ... on Role {
      id
      name
    }
    ... on ApiToken {
      id
      name
    }
    ... on ResourceType {
      id
      label
    }
  }
`);

export const AuditObjectQuery = graphql(
  `
    query AuditObject($id: ID!) {
      node(id: $id) {
        ...AuditObject
      }
    }
  `,
  [AuditObject],
);

/** What can be chosen: a few of each kind. */
export const AuditObjectsQuery = graphql(
  `
    query AuditObjects($search: String!) {
      users(first: 5, filter: { search: $search }) {
        nodes {
          ...AuditObject
        }
      }
      orgs(first: 5, filter: { search: $search }) {
        nodes {
          ...AuditObject
        }
      }
      groups(first: 5, filter: { search: $search }) {
        nodes {
          ...AuditObject
        }
      }
      resources(first: 5, filter: { search: $search }) {
        nodes {
          ...AuditObject
        }
      }
      roles(first: 5, filter: { name: { contains: $search } }) {
        nodes {
          ...AuditObject
        }
      }
    }
  `,
  [AuditObject],
);
