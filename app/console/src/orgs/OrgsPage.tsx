import type { ReactNode } from 'react';
import { Page } from '../shared';

export function OrgsPage(): ReactNode {
  return <Page title="Organizations">{null}</Page>;
}
