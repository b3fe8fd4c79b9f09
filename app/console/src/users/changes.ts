import { graphql } from '../api';

export const CreateUserMutation = graphql(`
  mutation CreateUser($input: CreateUserInput!) {
    createUser(input: $input) {
      user {
        id
        userName
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const CreateServiceAccountMutation = graphql(`
  mutation CreateServiceAccount($input: CreateServiceAccountInput!) {
    createServiceAccount(input: $input) {
      user {
        id
        userName
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const CreateUsersMutation = graphql(`
  mutation CreateUsers($input: CreateUsersInput!) {
    createUsers(input: $input) {
      results {
        index
        status
        user {
          id
        }
        errors {
          code
          message
          path
        }
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const AddRolesMutation = graphql(`
  mutation AddRoles($input: AddRolesInput!) {
    addRoles(input: $input) {
      user {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const RemoveRolesMutation = graphql(`
  mutation RemoveRoles($input: RemoveRolesInput!) {
    removeRoles(input: $input) {
      user {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const DeactivateUserMutation = graphql(`
  mutation DeactivateUser($input: DeactivateUserInput!) {
    deactivateUser(input: $input) {
      user {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const ReactivateUserMutation = graphql(`
  mutation ReactivateUser($input: ReactivateUserInput!) {
    reactivateUser(input: $input) {
      user {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);
