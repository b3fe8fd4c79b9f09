import type { ReactNode } from 'react';
import { Page } from '../shared';

export function AccountPage(): ReactNode {
  return <Page title="Account">{null}</Page>;
}
