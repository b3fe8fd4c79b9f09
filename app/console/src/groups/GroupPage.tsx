import type { ReactNode } from 'react';
import { Page } from '../shared';

export function GroupPage(): ReactNode {
  return <Page title="Group">{null}</Page>;
}
