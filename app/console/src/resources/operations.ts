import { PanelFields, RoleInfoFields } from '../access';
import { graphql } from '../api';
import type { ResultOf } from '../api';
import { LockFields } from '../locks';
import { HeadFields } from './fragments';

export const ResourceSettingsQuery = graphql(
  `
    query ResourceSettings($id: ID!) {
      viewer {
        user {
          id
        }
      }
      resource(by: { id: $id }) {
        ...HeadFields
        ...PanelFields
        ...LockFields
        revision
        viewerCan {
          transfer
          delete
        }
      }
    }
  `,
  [HeadFields, PanelFields, LockFields],
);

export const ResourcePageQuery = graphql(
  `
    query ResourcePage($id: ID!) {
      viewer {
        user {
          id
        }
      }
      orgLevels {
        level
        label
      }
      resource(by: { id: $id }) {
        ...HeadFields
        description
        metadata
        sizeBytes
        revision
        createdAt
        updatedAt
        org {
          viewerIsOwner
        }
        type {
          hasData
          roles {
            ...RoleInfoFields
          }
        }
        owner {
          id
          userName
          displayName
        }
        viewerAccess {
          effectiveRoles
          sources {
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
        }
        viewerCan {
          updateMetadata
        }
      }
    }
  `,
  [HeadFields, RoleInfoFields],
);

export const ResourceByPathQuery = graphql(`
  query ResourceByPath($org: String!, $slug: String!) {
    viewer {
      user {
        id
      }
    }
    resource(by: { path: { orgSlug: $org, slug: $slug } }) {
      id
    }
  }
`);

export const ResourcesQuery = graphql(
  `
    query Resources(
      $first: Int
      $after: String
      $last: Int
      $before: String
      $filter: ResourceFilter
      $orderBy: [ResourceOrder!]
    ) {
      viewer {
        user {
          id
        }
      }
      resourceTypes(first: 100) {
        nodes {
          id
          name
          label
          description
          roles {
            ...RoleInfoFields
          }
        }
      }
      resources(
        first: $first
        after: $after
        last: $last
        before: $before
        filter: $filter
        orderBy: $orderBy
      ) {
        nodes {
          id
          name
          slug
          sizeBytes
          updatedAt
          type {
            id
            label
          }
          org {
            id
            slug
            name
          }
          owner {
            id
            userName
            displayName
          }
          lock {
            reason
          }
          viewerAccess {
            effectiveRoles
          }
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
  `,
  [RoleInfoFields],
);

/** What a new resource can be. */
export const CreateResourceQuery = graphql(`
  query CreateResourceTypes {
    resourceTypes(first: 100) {
      nodes {
        id
        name
        label
        description
      }
    }
  }
`);

type ResourcesData = ResultOf<typeof ResourcesQuery>;
export type ResourceRow = ResourcesData['resources']['nodes'][number];
export type TypeRow = ResourcesData['resourceTypes']['nodes'][number];
export type ResourceData = NonNullable<ResultOf<typeof ResourcePageQuery>['resource']>;
export type ResourceSettings = NonNullable<ResultOf<typeof ResourceSettingsQuery>['resource']>;
