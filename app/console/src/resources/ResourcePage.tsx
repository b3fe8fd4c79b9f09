import type { ReactNode } from 'react';
import { Page } from '../shared';

export function ResourcePage(): ReactNode {
  return <Page title="Resource">{null}</Page>;
}
