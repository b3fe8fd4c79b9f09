import type { ReactNode } from 'react';
import { Page } from '../shared';

export function TypesPage(): ReactNode {
  return <Page title="Resource types">{null}</Page>;
}
