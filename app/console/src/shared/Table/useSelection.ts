import { useCallback, useMemo, useState } from 'react';

/** A row that is ticked. It stays so over pages. */
export interface Selected {
  readonly id: string;
  readonly name: string;
}

export interface Selection {
  readonly items: readonly Selected[];
  readonly has: (id: string) => boolean;
  readonly set: (items: readonly Selected[], isSelected: boolean) => void;
  readonly clear: () => void;
}

export function useSelection(): Selection {
  const [selected, setSelected] = useState<ReadonlyMap<string, Selected>>(new Map());
  const set = useCallback((items: readonly Selected[], isSelected: boolean) => {
    setSelected((old) => {
      const next = new Map(old);
      for (const item of items) {
        if (isSelected) {
          next.set(item.id, item);
        } else {
          next.delete(item.id);
        }
      }
      return next;
    });
  }, []);
  const clear = useCallback(() => setSelected(new Map()), []);
  return useMemo(
    () => ({ items: [...selected.values()], has: (id) => selected.has(id), set, clear }),
    [selected, set, clear],
  );
}
