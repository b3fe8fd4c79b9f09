/**
 * What `navigate` needs after a change that is done. It does not ask: what was typed is stored, or its object is gone.
 */
export const leaving = { ignoreBlocker: true } as const;
