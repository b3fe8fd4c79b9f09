import { useEffect, useState } from 'react';

const WAIT = 300;

/** Return the value as it was when it last stayed the same for 300 ms. */
export function useDebounced<Value>(value: Value): Value {
  const [calm, setCalm] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setCalm(value), WAIT);
    return () => clearTimeout(timer);
  }, [value]);
  return calm;
}
