import { ErrorFields, graphql } from '../api';

export const CreateUserMutation = graphql(
  `
    mutation CreateUser($input: CreateUserInput!) {
      createUser(input: $input) {
        user {
          id
          userName
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const CreateServiceAccountMutation = graphql(
  `
    mutation CreateServiceAccount($input: CreateServiceAccountInput!) {
      createServiceAccount(input: $input) {
        user {
          id
          userName
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const CreateUsersMutation = graphql(
  `
    mutation CreateUsers($input: CreateUsersInput!) {
      createUsers(input: $input) {
        results {
          index
          status
          user {
            id
          }
          errors {
            ...ErrorFields
          }
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const AddRolesMutation = graphql(
  `
    mutation AddRoles($input: AddRolesInput!) {
      addRoles(input: $input) {
        user {
          id
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const RemoveRolesMutation = graphql(
  `
    mutation RemoveRoles($input: RemoveRolesInput!) {
      removeRoles(input: $input) {
        user {
          id
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const DeactivateUserMutation = graphql(
  `
    mutation DeactivateUser($input: DeactivateUserInput!) {
      deactivateUser(input: $input) {
        user {
          id
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const ReactivateUserMutation = graphql(
  `
    mutation ReactivateUser($input: ReactivateUserInput!) {
      reactivateUser(input: $input) {
        user {
          id
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);
