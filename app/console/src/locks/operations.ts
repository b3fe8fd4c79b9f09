import { ErrorFields, graphql } from '../api';
import type { FragmentOf } from '../api';

/** The lock of a resource with its history. */
export const LockFields = graphql(`
  fragment LockFields on Resource {
    id
    name
    lock {
      createdAt
      reason
      lockedByName
      lockedBy {
        id
        displayName
      }
    }
    lockHistory(last: 20) {
      nodes {
        action
        createdAt
        reason
        actorName
        actor {
          id
          displayName
        }
      }
      totalCount
    }
    viewerCan {
      lock
      unlock
    }
  }
`);

export const LockResourceMutation = graphql(
  `
    mutation LockResource($input: LockResourceInput!) {
      lockResource(input: $input) {
        resource {
          ...LockFields
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [LockFields, ErrorFields],
);

export const UnlockResourceMutation = graphql(
  `
    mutation UnlockResource($input: UnlockResourceInput!) {
      unlockResource(input: $input) {
        resource {
          ...LockFields
        }
        errors {
          ...ErrorFields
        }
      }
    }
  `,
  [LockFields, ErrorFields],
);

export type LockedResource = FragmentOf<typeof LockFields>;
export type LockState = NonNullable<LockedResource['lock']>;
