import type { ReactNode } from 'react';
import { Page } from '../shared';

export function PeoplePage(): ReactNode {
  return <Page title="People">{null}</Page>;
}
