import { useEffect, useState } from 'react';
import { waitOf } from './errors';
import type { Failure } from './errors';

const SECOND = 1000;

interface Countdown {
  readonly failures: readonly Failure[];
  readonly left: number;
}

/** Count down the seconds that the newest failures ask to wait. */
export function useCountdown(failures: readonly Failure[]): number {
  const [countdown, setCountdown] = useState<Countdown>({ failures, left: waitOf(failures) });
  if (countdown.failures !== failures) {
    setCountdown({ failures, left: waitOf(failures) });
  }
  const isCounting = countdown.left > 0;
  useEffect(() => {
    if (!isCounting) {
      return undefined;
    }
    const end = Date.now() + waitOf(failures) * SECOND;
    const timer = setInterval(() => {
      const left = Math.max(0, Math.ceil((end - Date.now()) / SECOND));
      setCountdown((old) => (old.failures === failures ? { failures, left } : old));
    }, SECOND);
    return () => clearInterval(timer);
  }, [failures, isCounting]);
  return countdown.left;
}
