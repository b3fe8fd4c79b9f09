import { graphql } from '../../api';

export const PickUsersQuery = graphql(`
  query PickUsers($search: String!) {
    users(first: 10, filter: { search: $search }, orderBy: [{ field: USER_NAME }]) {
      nodes {
        id
        userName
        displayName
      }
    }
  }
`);

export const PickGroupsQuery = graphql(`
  query PickGroups($search: String!) {
    groups(first: 10, filter: { search: $search }, orderBy: [{ field: DISPLAY_NAME }]) {
      nodes {
        id
        slug
        displayName
      }
    }
  }
`);

export const PickOrgsQuery = graphql(`
  query PickOrgs($search: String!) {
    orgs(first: 10, filter: { search: $search }, orderBy: [{ field: NAME }]) {
      nodes {
        id
        slug
        name
      }
    }
  }
`);
