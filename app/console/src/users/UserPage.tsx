import type { ReactNode } from 'react';
import { Page } from '../shared';

export function UserPage(): ReactNode {
  return <Page title="User">{null}</Page>;
}
