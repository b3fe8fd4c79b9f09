/** What one tab of the browser tells the others. */
export type TabMessage =
  { readonly kind: 'signedOut' } | { readonly kind: 'signedIn'; readonly userId: string };

const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('ostiary-session') : null;

export function tellTabs(message: TabMessage): void {
  channel?.postMessage(message);
}

/** Listen to the other tabs. Return the function that ends it. */
export function listenToTabs(listener: (message: TabMessage) => void): () => void {
  const onMessage = (event: MessageEvent<unknown>): void => {
    const message = parse(event.data);
    if (message !== null) {
      listener(message);
    }
  };
  channel?.addEventListener('message', onMessage);
  return () => channel?.removeEventListener('message', onMessage);
}

function parse(data: unknown): TabMessage | null {
  if (typeof data !== 'object' || data === null || !('kind' in data)) {
    return null;
  }
  if (data.kind === 'signedOut') {
    return { kind: 'signedOut' };
  }
  return data.kind === 'signedIn' && 'userId' in data && typeof data.userId === 'string'
    ? { kind: 'signedIn', userId: data.userId }
    : null;
}
