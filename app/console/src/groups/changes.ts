import { ErrorFields, graphql } from '../api';

export const CreateGroupMutation = graphql(
  `
    mutation CreateGroup($input: CreateGroupInput!) {
      createGroup(input: $input) {
        group {
          id
          slug
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const UpdateGroupMutation = graphql(
  `
    mutation UpdateGroup($input: UpdateGroupInput!) {
      updateGroup(input: $input) {
        group {
          id
          revision
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const DeleteGroupMutation = graphql(
  `
    mutation DeleteGroup($input: DeleteGroupInput!) {
      deleteGroup(input: $input) {
        revokedFrom
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const AddGroupMembersMutation = graphql(
  `
    mutation AddGroupMembers($input: AddGroupMembersInput!) {
      addGroupMembers(input: $input) {
        group {
          id
          memberCount
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const UpdateGroupMemberMutation = graphql(
  `
    mutation UpdateGroupMember($input: UpdateGroupMemberInput!) {
      updateGroupMember(input: $input) {
        group {
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

export const RemoveGroupMembersMutation = graphql(
  `
    mutation RemoveGroupMembers($input: RemoveGroupMembersInput!) {
      removeGroupMembers(input: $input) {
        group {
          id
          memberCount
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);
