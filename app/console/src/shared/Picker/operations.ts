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

/** One text as a user name and as an email address. The address finds a person only for who sees it. */
export const FindPersonQuery = graphql(`
  query FindPerson($text: String!) {
    byName: user(by: { userName: $text }) {
      id
      userName
    }
    byEmail: user(by: { email: $text }) {
      id
      userName
    }
  }
`);
