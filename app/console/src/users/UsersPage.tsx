import type { ReactNode } from 'react';
import { Page } from '../shared';

export function UsersPage(): ReactNode {
  return <Page title="Users">{null}</Page>;
}
