import type { ReactNode } from 'react';
import { Page } from '../shared';

export function HomePage(): ReactNode {
  return <Page title="Home">{null}</Page>;
}
