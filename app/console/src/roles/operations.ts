import { ErrorFields, graphql } from '../api';
import type { ResultOf } from '../api';

export const RolesQuery = graphql(`
  query Roles {
    viewer {
      user {
        id
      }
    }
    roles(first: 100, orderBy: [{ field: NAME }]) {
      nodes {
        id
        name
        description
        isBuiltIn
        revision
        permissions
        users(first: 1) {
          totalCount
        }
      }
      totalCount
    }
    permissions {
      permission
      label
      description
    }
  }
`);

type Answer = ResultOf<typeof RolesQuery>;
export type RoleRow = Answer['roles']['nodes'][number];
export type PermissionInfo = Answer['permissions'][number];

export const CreateRoleMutation = graphql(
  `
    mutation CreateRole($input: CreateRoleInput!) {
      createRole(input: $input) {
        role {
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

export const UpdateRoleMutation = graphql(
  `
    mutation UpdateRole($input: UpdateRoleInput!) {
      updateRole(input: $input) {
        role {
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

export const DeleteRoleMutation = graphql(
  `
    mutation DeleteRole($input: DeleteRoleInput!) {
      deleteRole(input: $input) {
        deletedRoleId
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const TypesQuery = graphql(`
  query Types($first: Int, $after: String, $last: Int, $before: String) {
    viewer {
      user {
        id
      }
      can {
        createResourceTypes
      }
    }
    resourceTypes(first: $first, after: $after, last: $last, before: $before) {
      nodes {
        id
        name
        label
        description
        hasData
        isBuiltIn
        roles {
          role
          label
          description
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

export type TypeRow = ResultOf<typeof TypesQuery>['resourceTypes']['nodes'][number];

export const CreateTypeMutation = graphql(
  `
    mutation CreateType($input: CreateResourceTypeInput!) {
      createResourceType(input: $input) {
        resourceType {
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
