import type { ReactNode } from 'react';
import { Page } from '../shared';

export function ResourceHistoryPage(): ReactNode {
  return <Page title="History">{null}</Page>;
}
