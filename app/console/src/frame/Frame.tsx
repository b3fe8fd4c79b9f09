import { ActionIcon, Anchor, Drawer } from '@mantine/core';
import { IconMenu2 } from '@tabler/icons-react';
import { Outlet } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '../api';
import { SignInOver } from '../session';
import { LinkTo, StorageBar, sharedWords } from '../shared';
import { AccountMenu } from './AccountMenu';
import classes from './Frame.module.css';
import { DefaultPasswordBar } from './DefaultPasswordBar';
import { Guard } from './Guard';
import { Menu } from './Menu';
import { OfflineBar } from './OfflineBar';
import { Search } from './Search';
import { useFocusReturn } from './useFocusReturn';
import { words } from './words';

/** Used storage and quota of the signed-in user. */
function Storage(): ReactNode {
  const session = useSession();
  const storage = 'user' in session ? session.user.storage : null;
  return storage === null ? null : <StorageBar label={words.storage} {...storage} />;
}

interface TopBarProps {
  readonly onMenu: () => void;
}

function TopBar({ onMenu }: TopBarProps): ReactNode {
  return (
    <header className={classes['top'] ?? ''}>
      <ActionIcon variant="default" size="lg" aria-label={words.openMenu} hiddenFrom="sm" onClick={onMenu}>
        <IconMenu2 size={20} aria-hidden />
      </ActionIcon>
      <LinkTo to="/" fw={700} c="inherit" underline="never">
        {sharedWords.appName}
      </LinkTo>
      <div className={classes['search'] ?? ''}>
        <Search />
      </div>
      <div className={classes['storage'] ?? ''}>
        <Storage />
      </div>
      <AccountMenu />
    </header>
  );
}

/** What is around every page: bar on top, menu at left, a drawer on a narrow screen. */
export function Frame(): ReactNode {
  useFocusReturn();
  const [isDrawerOpen, setIsDrawerOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const close = (): void => setIsDrawerOpen(false);
  return (
    <div className={classes['frame'] ?? ''}>
      <button type="button" className={classes['skip'] ?? ''} onClick={() => main.current?.focus()}>
        {words.skip}
      </button>
      <TopBar onMenu={() => setIsDrawerOpen(true)} />
      <div className={classes['side'] ?? ''}>
        <Menu />
        <footer className={classes['bottom'] ?? ''}>
          <Foot />
        </footer>
      </div>
      <Drawer opened={isDrawerOpen} onClose={close} title={words.menu} size="xs">
        <Menu onFollow={close} />
        <Storage />
        <Foot />
      </Drawer>
      <main ref={main} tabIndex={-1} className={classes['main'] ?? ''}>
        <div className={classes['bars'] ?? ''}>
          <OfflineBar />
          <DefaultPasswordBar />
        </div>
        <Guard>
          <Outlet />
        </Guard>
      </main>
      <SignInOver />
    </div>
  );
}

function Foot(): ReactNode {
  return (
    <div className={classes['foot'] ?? ''}>
      <Anchor href="graphql" size="xs" c="dimmed">
        {words.developers}
      </Anchor>
      <LinkTo to="/licenses" size="xs" c="dimmed">
        {words.licenses}
      </LinkTo>
    </div>
  );
}
