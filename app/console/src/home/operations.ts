import { graphql } from '../api';

export const HomeQuery = graphql(`
  query Home {
    viewer {
      user {
        id
        userName
        displayName
        storage {
          quotaBytes
          usedBytes
        }
        orgs(first: 100) {
          edges {
            expiresAt
            node {
              id
              slug
              name
            }
          }
        }
        groups(first: 100) {
          edges {
            expiresAt
            node {
              id
              slug
              displayName
            }
          }
        }
        grants(first: 100) {
          edges {
            expiresAt
            roles
            node {
              id
              name
            }
          }
        }
        accessibleResources(first: 10, orderBy: [{ field: UPDATED_AT, direction: DESC }]) {
          nodes {
            id
            name
            type {
              label
            }
            updatedAt
          }
        }
      }
    }
    myOrgs: orgs(first: 10, filter: { viewerBelongs: true }, orderBy: [{ field: NAME }]) {
      nodes {
        id
        slug
        name
      }
    }
    publicOrgs: orgs(first: 10, filter: { isPublic: true }, orderBy: [{ field: NAME }]) {
      nodes {
        id
        slug
        name
      }
    }
    resources(first: 10, orderBy: [{ field: UPDATED_AT, direction: DESC }]) {
      nodes {
        id
        name
        type {
          label
        }
        updatedAt
      }
    }
  }
`);
