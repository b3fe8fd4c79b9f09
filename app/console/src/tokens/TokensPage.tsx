import type { ReactNode } from 'react';
import { Page } from '../shared';

export function TokensPage(): ReactNode {
  return <Page title="API tokens">{null}</Page>;
}
