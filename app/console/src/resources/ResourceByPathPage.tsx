import type { ReactNode } from 'react';
import { Page } from '../shared';

export function ResourceByPathPage(): ReactNode {
  return <Page title="Resource">{null}</Page>;
}
