import type { ReactNode } from 'react';
import { Page } from '../shared';

export function GroupsPage(): ReactNode {
  return <Page title="Groups">{null}</Page>;
}
