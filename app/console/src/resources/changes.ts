import { ErrorFields, graphql } from '../api';

export const CreateResourceMutation = graphql(
  `
    mutation CreateResource($input: CreateResourceInput!) {
      createResource(input: $input) {
        resource {
          id
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

export const UpdateResourceMutation = graphql(
  `
    mutation UpdateResource($input: UpdateResourceInput!) {
      updateResource(input: $input) {
        resource {
          id
          name
          description
          metadata
          revision
          updatedAt
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const TransferResourceMutation = graphql(
  `
    mutation TransferResource($input: TransferResourceInput!) {
      transferResource(input: $input) {
        resource {
          id
          revision
          owner {
            id
            userName
          }
          org {
            id
            slug
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

export const DeleteResourceMutation = graphql(
  `
    mutation DeleteResource($input: DeleteResourceInput!) {
      deleteResource(input: $input) {
        deletedResourceId
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [ErrorFields],
);

export const GrantAccessBatchMutation = graphql(
  `
    mutation GrantAccessBatch($input: GrantAccessBatchInput!) {
      grantAccessBatch(input: $input) {
        results {
          index
          resource {
            id
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
