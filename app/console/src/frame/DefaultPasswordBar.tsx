import type { ReactNode } from 'react';
import { useViewer } from '../api';
import { Banner, ButtonTo } from '../shared';
import { words } from './words';

/** Says that the administrator still has the default password, and leads to where it is changed. */
export function DefaultPasswordBar(): ReactNode {
  const hasDefaultPassword = useViewer()?.hasDefaultPassword ?? false;
  return hasDefaultPassword ? (
    <Banner
      text={words.defaultPassword}
      actions={
        <ButtonTo to="/account" search={{ tab: 'password' }} size="xs">
          {words.changePassword}
        </ButtonTo>
      }
    />
  ) : null;
}
