import type { ReactNode } from 'react';
import { Page } from '../shared';

export function OrgPage(): ReactNode {
  return <Page title="Organization">{null}</Page>;
}
