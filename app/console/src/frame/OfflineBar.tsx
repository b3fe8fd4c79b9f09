import type { ReactNode } from 'react';
import { useOnline } from '../api';
import { Banner } from '../shared';
import { words } from './words';

/** Says that there is no network. */
export function OfflineBar(): ReactNode {
  return useOnline() ? null : <Banner text={words.offline} />;
}
