import { ErrorFields, graphql } from '../api';

export const CreateOrgMutation = graphql(
  `
    mutation CreateOrg($input: CreateOrgInput!) {
      createOrg(input: $input) {
        org {
          id
          slug
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

export const UpdateOrgMutation = graphql(
  `
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
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const TransferOrgMutation = graphql(
  `
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
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const SetOrgQuotaMutation = graphql(
  `
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
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const DeleteOrgMutation = graphql(
  `
    mutation DeleteOrg($input: DeleteOrgInput!) {
      deleteOrg(input: $input) {
        deletedResources
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const AddOrgMemberMutation = graphql(
  `
    mutation AddOrgMember($input: AddOrgMemberInput!) {
      addOrgMember(input: $input) {
        org {
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

export const UpdateOrgMemberMutation = graphql(
  `
    mutation UpdateOrgMember($input: UpdateOrgMemberInput!) {
      updateOrgMember(input: $input) {
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

export const RemoveOrgMemberMutation = graphql(
  `
    mutation RemoveOrgMember($input: RemoveOrgMemberInput!) {
      removeOrgMember(input: $input) {
        org {
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
