const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Return the moment at which a local day begins; null if the text is no day. */
function startOf(day: string | undefined, daysLater: number): string | null {
  if (day === undefined || !DAY.test(day)) {
    return null;
  }
  const start = new Date(`${day}T00:00`);
  start.setDate(start.getDate() + daysLater);
  return Number.isNaN(start.getTime()) ? null : start.toISOString();
}

/** Return the condition on the time of two local days, both included; null for none. */
export function periodFilter(from: string | undefined, to: string | undefined) {
  const gte = startOf(from, 0);
  const lt = startOf(to, 1);
  return gte === null && lt === null
    ? null
    : { ...(gte === null ? {} : { gte }), ...(lt === null ? {} : { lt }) };
}
