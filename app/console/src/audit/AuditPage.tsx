import type { ReactNode } from 'react';
import { Page } from '../shared';

export function AuditPage(): ReactNode {
  return <Page title="Audit">{null}</Page>;
}
