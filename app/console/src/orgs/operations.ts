import { graphql } from '../api';
import type { ResultOf } from '../api';

const RowFields = graphql(`
  fragment OrgRow on Org {
    id
    slug
    name
    isPublic
    viewerLevel
    viewerIsOwner
    owner {
      id
      userName
      displayName
    }
  }
`);

const ListFields = graphql(
  `
    fragment OrgList on OrgConnection {
      nodes {
        ...OrgRow
      }
      totalCount
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  `,
  [RowFields],
);

/** Two lists beside each other, and a third for who sees more than these. */
export const OrgsQuery = graphql(
  `
    query Orgs(
      $mineFirst: Int
      $mineAfter: String
      $mineLast: Int
      $mineBefore: String
      $mineOrder: [OrgOrder!]
      $mineFilter: OrgFilter
      $publicFirst: Int
      $publicAfter: String
      $publicLast: Int
      $publicBefore: String
      $publicOrder: [OrgOrder!]
      $publicFilter: OrgFilter
      $othersFirst: Int
      $othersAfter: String
      $othersLast: Int
      $othersBefore: String
      $othersOrder: [OrgOrder!]
      $othersFilter: OrgFilter
      $seesOthers: Boolean!
      $isSignedIn: Boolean!
    ) {
      viewer {
        user {
          id
        }
      }
      orgLevels {
        level
        label
      }
      mine: orgs(
        first: $mineFirst
        after: $mineAfter
        last: $mineLast
        before: $mineBefore
        orderBy: $mineOrder
        filter: $mineFilter
      ) @include(if: $isSignedIn) {
        ...OrgList
      }
      public: orgs(
        first: $publicFirst
        after: $publicAfter
        last: $publicLast
        before: $publicBefore
        orderBy: $publicOrder
        filter: $publicFilter
      ) {
        ...OrgList
      }
      others: orgs(
        first: $othersFirst
        after: $othersAfter
        last: $othersLast
        before: $othersBefore
        orderBy: $othersOrder
        filter: $othersFilter
      ) @include(if: $seesOthers) {
        ...OrgList
      }
    }
  `,
  [ListFields],
);

export const OrgQuery = graphql(`
  query OrgPage($slug: String!) {
    viewer {
      user {
        id
        userName
      }
    }
    orgLevels {
      level
      label
      description
    }
    org(by: { slug: $slug }) {
      id
      slug
      name
      description
      isPublic
      createdAt
      revision
      viewerLevel
      viewerIsOwner
      memberCount
      owner {
        id
        userName
        displayName
      }
      storage {
        usedBytes
        quotaBytes
      }
      viewerCan {
        createResources
        delete
        leave
        manageMembers
        seeMembers
        transfer
        update
      }
      locked: resources(first: 5, filter: { isLocked: true }) {
        totalCount
        nodes {
          id
          name
          lock {
            reason
          }
        }
      }
    }
  }
`);

type OrgsData = ResultOf<typeof OrgsQuery>;
export type OrgRow = OrgsData['public']['nodes'][number];

type OrgData = ResultOf<typeof OrgQuery>;
export type Org = NonNullable<OrgData['org']>;
export type Level = OrgData['orgLevels'][number];
