import type { ReactNode } from 'react';
import { Missing, Page } from '../shared';
import { words } from './words';

export function NotFoundPage(): ReactNode {
  return (
    <Page title={words.notFoundTitle}>
      <Missing text={words.notFound} />
    </Page>
  );
}
