import { phrase } from '../shared';
import type { FrameViewer, ResultOf } from '../api';
import type { FrameSearchQuery } from './operations';

export interface Hit {
  readonly kind: 'orgs' | 'groups' | 'resources' | 'users';
  readonly id: string;
  readonly name: string;
  /** The address below the base. */
  readonly path: string;
}

type Matches = ResultOf<typeof FrameSearchQuery>;

const named = (name: string, key: string): string => (name === key ? name : phrase`${name} (${key})`);

/** Return what was found, with its pages. A person leads to their page, where the viewer may open it. */
export function hitsOf(matches: Matches, viewer: FrameViewer | null): readonly Hit[] {
  const canOpenUsers = viewer?.can.seeAllUsers ?? false;
  const orgs = matches.orgs.nodes.map(({ id, slug, name }) => ({
    kind: 'orgs' as const,
    id,
    name: named(name, slug),
    path: `/organizations/${encodeURIComponent(slug)}`,
  }));
  const groups = matches.groups.nodes.map(({ id, slug, displayName }) => ({
    kind: 'groups' as const,
    id,
    name: named(displayName, slug),
    path: `/groups/${encodeURIComponent(slug)}`,
  }));
  const resources = matches.resources.nodes.map(({ id, name, slug }) => ({
    kind: 'resources' as const,
    id,
    name: named(name, slug),
    path: `/resources/${encodeURIComponent(id)}`,
  }));
  const users = matches.users.nodes.map(({ id, userName, displayName }) => ({
    kind: 'users' as const,
    id,
    name: named(displayName ?? userName, userName),
    path: `/settings/users/${encodeURIComponent(userName)}`,
  }));
  return [...orgs, ...groups, ...resources, ...(canOpenUsers ? users : [])];
}
