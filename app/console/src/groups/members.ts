import type { Members } from './operations';

/** Return the page of members as rows of a table: a row is a membership, not a person. */
export function rowsOf(members: Members | null) {
  return members === null
    ? null
    : { nodes: members.edges, totalCount: members.totalCount, pageInfo: members.pageInfo };
}
