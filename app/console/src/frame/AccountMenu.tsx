import { Button, Menu as Dropdown, SegmentedControl, Text, useMantineColorScheme } from '@mantine/core';
import { IconChevronDown, IconLogout, IconUser } from '@tabler/icons-react';
import { useLocation } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '../api';
import { SignOutDialog } from '../session';
import { ButtonTo, MenuItemTo, useDensity } from '../shared';
import { words } from './words';

const THEMES = ['auto', 'light', 'dark'] as const;
const DENSITIES = ['comfortable', 'compact'] as const;

/** Theme and row height, kept in this browser. */
function Looks(): ReactNode {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [density, setDensity] = useDensity();
  return (
    <>
      <Dropdown.Label>{words.theme}</Dropdown.Label>
      <SegmentedControl
        fullWidth
        size="xs"
        aria-label={words.theme}
        data={THEMES.map((value) => ({ value, label: words.themes[value] }))}
        value={colorScheme}
        onChange={setColorScheme}
      />
      <Dropdown.Label>{words.density}</Dropdown.Label>
      <SegmentedControl
        fullWidth
        size="xs"
        aria-label={words.density}
        data={DENSITIES.map((value) => ({ value, label: words.densities[value] }))}
        value={density}
        onChange={setDensity}
      />
    </>
  );
}

/** Who is signed in, with what they can do about it. */
export function AccountMenu(): ReactNode {
  const session = useSession();
  const [isLeaving, setIsLeaving] = useState(false);
  const isLogin = useLocation({ select: ({ pathname }) => pathname === '/login' });
  if (session.status !== 'signedIn' && session.status !== 'over') {
    return session.status === 'anonymous' && !isLogin ? (
      <ButtonTo to="/login" size="sm">
        {words.signIn}
      </ButtonTo>
    ) : null;
  }
  const name = session.user.displayName ?? session.user.userName;
  return (
    <>
      <Dropdown width={280} position="bottom-end" keepMounted={false}>
        <Dropdown.Target>
          <Button
            variant="default"
            aria-label={words.account(name)}
            leftSection={<IconUser size={16} aria-hidden />}
            rightSection={<IconChevronDown size={14} aria-hidden />}
            maw={180}
          >
            <Text span display="block" size="sm" truncate visibleFrom="sm" title={name}>
              {name}
            </Text>
          </Button>
        </Dropdown.Target>
        <Dropdown.Dropdown>
          <MenuItemTo to="/account" leftSection={<IconUser size={16} aria-hidden />}>
            {words.myAccount}
          </MenuItemTo>
          <Dropdown.Item
            leftSection={<IconLogout size={16} aria-hidden />}
            onClick={() => setIsLeaving(true)}
          >
            {words.signOut}
          </Dropdown.Item>
          <Dropdown.Divider />
          <Looks />
        </Dropdown.Dropdown>
      </Dropdown>
      {isLeaving ? <SignOutDialog onClose={() => setIsLeaving(false)} /> : null}
    </>
  );
}
