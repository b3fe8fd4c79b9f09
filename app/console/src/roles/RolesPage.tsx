import type { ReactNode } from 'react';
import { Page } from '../shared';

export function RolesPage(): ReactNode {
  return <Page title="Roles">{null}</Page>;
}
