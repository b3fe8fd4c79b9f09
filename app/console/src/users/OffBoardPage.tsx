import type { ReactNode } from 'react';
import { Page } from '../shared';

export function OffBoardPage(): ReactNode {
  return <Page title="Off-board">{null}</Page>;
}
