import { graphql } from '../api';
import type { FragmentOf } from '../api';

/** What is around each page of a resource: its name, its tabs, its lock. */
export const HeadFields = graphql(`
  fragment HeadFields on Resource {
    id
    name
    slug
    type {
      id
      label
    }
    org {
      id
      slug
      name
    }
    lock {
      createdAt
      reason
      lockedByName
      lockedBy {
        id
        displayName
      }
    }
    viewerCan {
      seeAccess
      seeAccessSubjects
      seeAuditEvents
      changeAccess
    }
  }
`);

export type ResourceHead = FragmentOf<typeof HeadFields>;
