import { createContext, useContext } from 'react';

export interface Notice {
  readonly kind: 'status' | 'error';
  readonly text: string;
}

export const NoticesContext = createContext<(notice: Notice) => void>(() => undefined);

/** Return the function that shows a notice for six seconds. Nothing that matters is in a notice alone. */
export const useNotify = (): ((notice: Notice) => void) => useContext(NoticesContext);
