import { graphql } from '../api';
import type { FragmentOf } from '../api';

/** The roles of a resource type, with texts for people. */
export const RoleInfoFields = graphql(`
  fragment RoleInfoFields on ResourceRoleInfo {
    role
    label
    description
    impliedRoles
    grantableToAnyone
    isDefault
  }
`);

export const ConfigurationFields = graphql(`
  fragment ConfigurationFields on AccessConfiguration {
    revision
    general {
      roles
      expiresAt
      grantedAt
      grantedByName
      grantedBy {
        id
        displayName
      }
    }
    anyone {
      roles
      expiresAt
      grantedAt
      grantedByName
      grantedBy {
        id
        displayName
      }
    }
    groups {
      roles
      expiresAt
      grantedAt
      grantedByName
      grantedBy {
        id
        displayName
      }
      group {
        id
        slug
        displayName
        description
        memberCount
      }
    }
    users {
      roles
      expiresAt
      grantedAt
      grantedByName
      grantedBy {
        id
        displayName
      }
      user {
        id
        userName
        displayName
      }
    }
  }
`);

/** What the access panel shows of a resource. */
export const PanelFields = graphql(
  `
    fragment PanelFields on Resource {
      id
      name
      type {
        id
        label
        roles {
          ...RoleInfoFields
        }
      }
      owner {
        id
        userName
        displayName
      }
      org {
        id
        name
      }
      viewerAccess {
        effectiveRoles
        sources {
          kind
          effectiveRoles
          expiresAt
          group {
            id
          }
        }
      }
      viewerCan {
        changeAccess
      }
      access {
        ...ConfigurationFields
      }
    }
  `,
  [RoleInfoFields, ConfigurationFields],
);

export type RoleInfo = FragmentOf<typeof RoleInfoFields>;
export type Configuration = FragmentOf<typeof ConfigurationFields>;
export type PanelResource = FragmentOf<typeof PanelFields>;
