import { ErrorFields, graphql } from '../../api';

export const DeleteUserMutation = graphql(
  `
    mutation DeleteUser($input: DeleteUserInput!) {
      deleteUser(input: $input) {
        deletedUserId
        orgsTransferred
        resourcesTransferred
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const TakeOverOrgMutation = graphql(
  `
    mutation TakeOverOrg($input: TransferOrgInput!) {
      transferOrg(input: $input) {
        org {
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

export const TakeOverResourceMutation = graphql(
  `
    mutation TakeOverResource($input: TransferResourceInput!) {
      transferResource(input: $input) {
        resource {
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

export const LeaveOrgMutation = graphql(
  `
    mutation TakeFromOrg($input: RemoveOrgMemberInput!) {
      removeOrgMember(input: $input) {
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const LeaveGroupMutation = graphql(
  `
    mutation TakeFromGroup($input: RemoveGroupMembersInput!) {
      removeGroupMembers(input: $input) {
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const DropTokenMutation = graphql(
  `
    mutation DropToken($input: RevokeApiTokenInput!) {
      revokeApiToken(input: $input) {
        revokedApiTokenId
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);
