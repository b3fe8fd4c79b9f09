import {
  IconBuilding,
  IconClipboardList,
  IconDatabase,
  IconHome,
  IconKey,
  IconShield,
  IconTags,
  IconUser,
  IconUsersGroup,
} from '@tabler/icons-react';
import type { LinkProps } from '@tanstack/react-router';
import type { FrameViewer, Permission } from '../api';
import { words } from './words';

export interface MenuItem {
  readonly to: NonNullable<LinkProps['to']>;
  readonly label: string;
  readonly icon: typeof IconHome;
  readonly needsSignIn?: boolean;
  /** Shown to viewers with one of them. */
  readonly needs?: readonly Permission[];
}

export const MAIN_ITEMS: readonly MenuItem[] = [
  { to: '/', label: words.items.home, icon: IconHome },
  { to: '/resources', label: words.items.resources, icon: IconDatabase },
  { to: '/organizations', label: words.items.organizations, icon: IconBuilding },
  { to: '/groups', label: words.items.groups, icon: IconUsersGroup, needsSignIn: true },
  { to: '/audit', label: words.items.audit, icon: IconClipboardList, needs: ['AUDIT_VIEW'] },
];

const USERS: readonly Permission[] = ['USERS_VIEW', 'USERS_MANAGE'];

export const SETTINGS_ITEMS: readonly MenuItem[] = [
  { to: '/settings/users', label: words.items.users, icon: IconUser, needs: USERS },
  { to: '/settings/roles', label: words.items.roles, icon: IconShield, needsSignIn: true },
  { to: '/settings/types', label: words.items.types, icon: IconTags, needs: ['RESOURCES_MANAGE'] },
  { to: '/settings/tokens', label: words.items.tokens, icon: IconKey, needs: USERS },
];

/** Return the entries that the viewer has a use for. */
export function visibleItems(items: readonly MenuItem[], viewer: FrameViewer | null): readonly MenuItem[] {
  const isSignedIn = viewer !== null && viewer.user !== null;
  return items.filter(
    ({ needs, needsSignIn = false }) =>
      (!needsSignIn || isSignedIn) &&
      (needs === undefined || needs.some((permission) => viewer?.permissions.includes(permission))),
  );
}
