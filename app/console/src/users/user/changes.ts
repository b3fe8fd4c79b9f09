import { graphql } from '../../api';

const Answer = graphql(`
  fragment UserAnswer on User {
    id
    revision
    userName
    displayName
    email
  }
`);

export const UpdateUserMutation = graphql(
  `
    mutation UpdateUser($input: UpdateUserInput!) {
      updateUser(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          code
          message
          path
        }
      }
    }
  `,
  [Answer],
);

export const AssignRolesMutation = graphql(
  `
    mutation AssignRoles($input: AssignRolesInput!) {
      assignRoles(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          code
          message
          path
        }
      }
    }
  `,
  [Answer],
);

export const ResetPasswordMutation = graphql(
  `
    mutation ResetPassword($input: ResetPasswordInput!) {
      resetPassword(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          code
          message
          path
        }
      }
    }
  `,
  [Answer],
);

export const RenameUserMutation = graphql(
  `
    mutation RenameUser($input: RenameUserInput!) {
      renameUser(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          code
          message
          path
        }
      }
    }
  `,
  [Answer],
);

export const SetUserMetadataMutation = graphql(
  `
    mutation SetUserMetadata($input: SetUserMetadataInput!) {
      setUserMetadata(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          code
          message
          path
        }
      }
    }
  `,
  [Answer],
);

export const PatchUserMetadataMutation = graphql(
  `
    mutation PatchUserMetadata($input: PatchUserMetadataInput!) {
      patchUserMetadata(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          code
          message
          path
        }
      }
    }
  `,
  [Answer],
);

export const SignOutUserMutation = graphql(
  `
    mutation SignOutUser($input: SignOutEverywhereInput!) {
      signOutEverywhere(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          code
          message
          path
        }
      }
    }
  `,
  [Answer],
);

export const AddToOrgMutation = graphql(`
  mutation AddToOrg($input: AddOrgMemberInput!) {
    addOrgMember(input: $input) {
      errors {
        code
        message
        path
      }
    }
  }
`);

export const RemoveFromOrgMutation = graphql(`
  mutation RemoveFromOrg($input: RemoveOrgMemberInput!) {
    removeOrgMember(input: $input) {
      errors {
        code
        message
        path
      }
    }
  }
`);
