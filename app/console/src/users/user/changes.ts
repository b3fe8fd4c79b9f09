import { ErrorFields, graphql } from '../../api';

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
          ...ErrorFields
        }
      }
    }
  `,
  [Answer, ErrorFields],
);

export const AssignRolesMutation = graphql(
  `
    mutation AssignRoles($input: AssignRolesInput!) {
      assignRoles(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [Answer, ErrorFields],
);

export const ResetPasswordMutation = graphql(
  `
    mutation ResetPassword($input: ResetPasswordInput!) {
      resetPassword(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [Answer, ErrorFields],
);

export const RenameUserMutation = graphql(
  `
    mutation RenameUser($input: RenameUserInput!) {
      renameUser(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [Answer, ErrorFields],
);

export const SetUserMetadataMutation = graphql(
  `
    mutation SetUserMetadata($input: SetUserMetadataInput!) {
      setUserMetadata(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [Answer, ErrorFields],
);

export const PatchUserMetadataMutation = graphql(
  `
    mutation PatchUserMetadata($input: PatchUserMetadataInput!) {
      patchUserMetadata(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [Answer, ErrorFields],
);

export const SignOutUserMutation = graphql(
  `
    mutation SignOutUser($input: SignOutEverywhereInput!) {
      signOutEverywhere(input: $input) {
        user {
          ...UserAnswer
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [Answer, ErrorFields],
);

export const AddToOrgMutation = graphql(
  `
    mutation AddToOrg($input: AddOrgMemberInput!) {
      addOrgMember(input: $input) {
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const RemoveFromOrgMutation = graphql(
  `
    mutation RemoveFromOrg($input: RemoveOrgMemberInput!) {
      removeOrgMember(input: $input) {
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);
