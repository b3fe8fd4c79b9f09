import { graphql } from '../api';

export const CreateGroupMutation = graphql(`
  mutation CreateGroup($input: CreateGroupInput!) {
    createGroup(input: $input) {
      group {
        id
        slug
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const UpdateGroupMutation = graphql(`
  mutation UpdateGroup($input: UpdateGroupInput!) {
    updateGroup(input: $input) {
      group {
        id
        revision
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const DeleteGroupMutation = graphql(`
  mutation DeleteGroup($input: DeleteGroupInput!) {
    deleteGroup(input: $input) {
      revokedFrom
      errors {
        code
        message
        path
      }
    }
  }
`);

export const AddGroupMembersMutation = graphql(`
  mutation AddGroupMembers($input: AddGroupMembersInput!) {
    addGroupMembers(input: $input) {
      group {
        id
        memberCount
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const UpdateGroupMemberMutation = graphql(`
  mutation UpdateGroupMember($input: UpdateGroupMemberInput!) {
    updateGroupMember(input: $input) {
      group {
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

export const RemoveGroupMembersMutation = graphql(`
  mutation RemoveGroupMembers($input: RemoveGroupMembersInput!) {
    removeGroupMembers(input: $input) {
      group {
        id
        memberCount
      }
      errors {
        code
        message
        path
      }
    }
  }
`);
