import type { ReactNode } from 'react';
import { Page } from '../shared';

export function ResourceSettingsPage(): ReactNode {
  return <Page title="Resource settings">{null}</Page>;
}
