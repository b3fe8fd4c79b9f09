import { graphql } from '../api';

export const CreateOrgMutation = graphql(`
  mutation CreateOrg($input: CreateOrgInput!) {
    createOrg(input: $input) {
      org {
        id
        slug
        name
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const UpdateOrgMutation = graphql(`
  mutation UpdateOrg($input: UpdateOrgInput!) {
    updateOrg(input: $input) {
      org {
        id
        revision
        name
        description
        isPublic
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

export const TransferOrgMutation = graphql(`
  mutation TransferOrg($input: TransferOrgInput!) {
    transferOrg(input: $input) {
      org {
        id
        revision
        owner {
          id
          userName
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

export const SetOrgQuotaMutation = graphql(`
  mutation SetOrgQuota($input: SetOrgQuotaInput!) {
    setOrgQuota(input: $input) {
      org {
        id
        storage {
          usedBytes
          quotaBytes
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

export const DeleteOrgMutation = graphql(`
  mutation DeleteOrg($input: DeleteOrgInput!) {
    deleteOrg(input: $input) {
      deletedResources
      errors {
        code
        message
        path
      }
    }
  }
`);

export const AddOrgMemberMutation = graphql(`
  mutation AddOrgMember($input: AddOrgMemberInput!) {
    addOrgMember(input: $input) {
      org {
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

export const UpdateOrgMemberMutation = graphql(`
  mutation UpdateOrgMember($input: UpdateOrgMemberInput!) {
    updateOrgMember(input: $input) {
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

export const RemoveOrgMemberMutation = graphql(`
  mutation RemoveOrgMember($input: RemoveOrgMemberInput!) {
    removeOrgMember(input: $input) {
      org {
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
