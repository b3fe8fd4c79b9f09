import { graphql } from '../api';

/** What the search of the frame finds: a few of each kind. */
export const FrameSearchQuery = graphql(`
  query FrameSearch($search: String!) {
    viewer {
      user {
        id
      }
    }
    orgs(first: 5, filter: { search: $search }) {
      nodes {
        id
        slug
        name
      }
    }
    groups(first: 5, filter: { search: $search }) {
      nodes {
        id
        slug
        displayName
      }
    }
    resources(first: 5, filter: { search: $search }) {
      nodes {
        id
        name
        slug
      }
    }
    users(first: 5, filter: { search: $search }) {
      nodes {
        id
        userName
        displayName
      }
    }
  }
`);

/** The words for permissions. */
export const PermissionNamesQuery = graphql(`
  query PermissionNames {
    viewer {
      user {
        id
      }
    }
    permissions {
      permission
      label
    }
  }
`);
