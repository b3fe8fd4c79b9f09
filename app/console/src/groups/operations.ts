import { graphql } from '../api';
import type { ResultOf } from '../api';

export const GroupsQuery = graphql(`
  query Groups(
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
    registry {
      groupContact
    }
    groups(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
      nodes {
        id
        slug
        displayName
        description
        memberCount
        viewerIsMember
        viewerCan {
          manageMembers
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

export const GroupQuery = graphql(`
  query GroupPage(
    $slug: String!
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: GroupMemberFilter
    $orderBy: [GroupMemberOrder!]
  ) {
    viewer {
      user {
        id
      }
    }
    registry {
      groupContact
    }
    group(by: { slug: $slug }) {
      id
      slug
      displayName
      description
      membersSeenBy
      revision
      createdAt
      memberCount
      viewerIsMember
      viewerCan {
        delete
        manageMembers
        seeMembers
        update
      }
      managers: members(first: 20, filter: { isManager: true }) {
        totalCount
        nodes {
          id
          userName
        }
      }
      members(
        first: $first
        after: $after
        last: $last
        before: $before
        filter: $filter
        orderBy: $orderBy
      ) {
        edges {
          isManager
          expiresAt
          addedAt
          addedByName
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

export type GroupRow = ResultOf<typeof GroupsQuery>['groups']['nodes'][number];
export type GroupData = NonNullable<ResultOf<typeof GroupQuery>['group']>;
export type Members = NonNullable<GroupData['members']>;
export type Member = Members['edges'][number];
