import type { ReactNode } from 'react';
import { Page } from '../shared';

export function ResourcesPage(): ReactNode {
  return <Page title="Resources">{null}</Page>;
}
