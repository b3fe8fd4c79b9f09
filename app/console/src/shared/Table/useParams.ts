import { useCallback, useMemo, useState } from 'react';
import { useAddress } from '../address';
import type { AddressSearch, ChangeAddress } from '../address';

/** Where a table keeps its place: pages in the address, dialogs in memory. */
export type Keeping = 'address' | 'memory';

/** Return the parameters of one table. A name keeps two tables of one page apart. */
export function useParams(keeping: Keeping, name: string): readonly [AddressSearch, ChangeAddress] {
  const [memory, setMemory] = useState<AddressSearch>({});
  const [address, changeAddress] = useAddress();
  const prefix = name === '' ? '' : `${name}.`;
  const params = useMemo(() => {
    if (keeping === 'memory') {
      return memory;
    }
    const own = Object.entries(address).filter(([key]) => key.startsWith(prefix));
    return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
  }, [keeping, memory, address, prefix]);
  const change = useCallback<ChangeAddress>(
    (changes, options) => {
      if (keeping === 'memory') {
        setMemory((old) => ({ ...old, ...changes }));
      } else {
        const named = Object.entries(changes).map(([key, value]) => [prefix + key, value] as const);
        changeAddress(Object.fromEntries(named), options);
      }
    },
    [keeping, prefix, changeAddress],
  );
  return [params, change];
}
