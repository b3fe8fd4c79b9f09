import { graphql } from './graphql';

/** What a form needs to know of each error of a payload. */
export const ErrorFields = graphql(`
  fragment ErrorFields on MutationError {
    code
    message
    path
  }
`);
