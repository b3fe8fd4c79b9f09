import { startOfDay } from '../shared';

/** Return the condition on the time of two local days, both included; null for none. */
export function periodFilter(from: string | undefined, to: string | undefined) {
  const gte = startOfDay(from);
  const lt = startOfDay(to, 1);
  return gte === null && lt === null
    ? null
    : { ...(gte === null ? {} : { gte }), ...(lt === null ? {} : { lt }) };
}
