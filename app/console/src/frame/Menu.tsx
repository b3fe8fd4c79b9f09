import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useViewer } from '../api';
import { NavLinkTo } from '../shared';
import { MAIN_ITEMS, SETTINGS_ITEMS, visibleItems } from './menu';
import type { MenuItem } from './menu';
import { words } from './words';

interface ItemsProps {
  readonly items: readonly MenuItem[];
  readonly onFollow: () => void;
}

function Items({ items, onFollow }: ItemsProps): ReactNode {
  return items.map(({ to, label, icon: Icon }) => (
    <NavLinkTo
      key={to}
      to={to}
      label={label}
      leftSection={<Icon size={18} aria-hidden />}
      activeOptions={{ exact: to === '/', includeSearch: false }}
      activeProps={{ active: true }}
      onClick={onFollow}
    />
  ));
}

/** The menu: pages for which the viewer has the permission. */
export function Menu({ onFollow = () => undefined }: { readonly onFollow?: () => void }): ReactNode {
  const viewer = useViewer();
  const settings = visibleItems(SETTINGS_ITEMS, viewer);
  return (
    <nav aria-label={words.menu}>
      <Items items={visibleItems(MAIN_ITEMS, viewer)} onFollow={onFollow} />
      {settings.length === 0 ? null : (
        <>
          <Text size="xs" c="dimmed" px="sm" pt="md" pb={4}>
            {words.items.settings}
          </Text>
          <Items items={settings} onFollow={onFollow} />
        </>
      )}
    </nav>
  );
}
