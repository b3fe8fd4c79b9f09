import { graphql } from '../api';

/** Who the requests run as. Its answer tells the session when that has changed. */
export const WhoQuery = graphql(`
  query Who {
    viewer {
      user {
        id
      }
    }
  }
`);
