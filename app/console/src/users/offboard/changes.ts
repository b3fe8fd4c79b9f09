import { graphql } from '../../api';

export const DeleteUserMutation = graphql(`
  mutation DeleteUser($input: DeleteUserInput!) {
    deleteUser(input: $input) {
      deletedUserId
      orgsTransferred
      resourcesTransferred
      errors {
        code
        message
        path
      }
    }
  }
`);

export const TakeOverOrgMutation = graphql(`
  mutation TakeOverOrg($input: TransferOrgInput!) {
    transferOrg(input: $input) {
      org {
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

export const TakeOverResourceMutation = graphql(`
  mutation TakeOverResource($input: TransferResourceInput!) {
    transferResource(input: $input) {
      resource {
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

export const LeaveOrgMutation = graphql(`
  mutation TakeFromOrg($input: RemoveOrgMemberInput!) {
    removeOrgMember(input: $input) {
      errors {
        code
        message
        path
      }
    }
  }
`);

export const LeaveGroupMutation = graphql(`
  mutation TakeFromGroup($input: RemoveGroupMembersInput!) {
    removeGroupMembers(input: $input) {
      errors {
        code
        message
        path
      }
    }
  }
`);

export const DropTokenMutation = graphql(`
  mutation DropToken($input: RevokeApiTokenInput!) {
    revokeApiToken(input: $input) {
      revokedApiTokenId
      errors {
        code
        message
        path
      }
    }
  }
`);
