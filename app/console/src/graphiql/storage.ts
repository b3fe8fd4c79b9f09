import { forgetTabTexts, keepTabTexts, readTabTexts } from '../api';
import { redact } from './redact';

/** What GraphiQL calls its values. */
const TABS = 'graphiql:tabState';
const QUERY = 'graphiql:query';

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Return the tabs with their texts alone: no variables, headers or answers. */
export function textsOfTabs(json: string): string | null {
  let state: unknown;
  try {
    state = JSON.parse(json);
  } catch {
    return null;
  }
  if (!isObject(state) || !Array.isArray(state['tabs'])) {
    return null;
  }
  const tabs = state['tabs'].filter(isObject).map(({ id, title, query, operationName }) => ({
    id,
    hash: null,
    title,
    query: typeof query === 'string' ? redact(query) : null,
    variables: null,
    headers: null,
    operationName,
    response: null,
  }));
  return JSON.stringify({ tabs, activeTabIndex: state['activeTabIndex'] });
}

/** Return the values that outlive a reload: the texts of the tabs. Everything else is in memory alone. */
export function lasting(values: ReadonlyMap<string, string>): Record<string, string> {
  const tabs = textsOfTabs(values.get(TABS) ?? '');
  const query = values.get(QUERY);
  return {
    ...(tabs === null ? {} : { [TABS]: tabs }),
    ...(query === undefined ? {} : { [QUERY]: redact(query) }),
  };
}

interface Opened {
  readonly owner: string | null;
  readonly values: Map<string, string>;
}

/** Return the values that this user may have: their own, and those typed before the sign-in. */
function valuesFor(userId: string | null, before: Opened | null): Map<string, string> {
  const stored = readTabTexts();
  const isOpen = before === null || before.owner === null || before.owner === userId;
  const isTheirs = isOpen && stored?.owner === userId;
  if (stored !== null && !isTheirs) {
    forgetTabTexts();
  }
  return new Map([
    ...(isTheirs && stored !== null ? Object.entries(stored.items) : []),
    ...(isOpen && before !== null ? before.values : []),
  ]);
}

/**
 * Return the function that opens the storage for a user, or for nobody. Values are in memory, and the texts of a
 * signed-in user in the tab of the browser. A storage that was opened before takes nothing any more.
 */
export function makeOpener(): (userId: string | null) => Storage {
  let current: Opened | null = null;
  return (userId) => {
    const opened: Opened = { owner: userId, values: valuesFor(userId, current) };
    current = opened;
    const { values } = opened;
    const change = (act: () => void): void => {
      if (current !== opened) {
        return;
      }
      act();
      if (userId !== null) {
        keepTabTexts({ owner: userId, items: lasting(values) });
      }
    };
    return {
      get length() {
        return values.size;
      },
      key: (index) => [...values.keys()][index] ?? null,
      getItem: (name) => values.get(name) ?? null,
      setItem: (name, value) => change(() => values.set(name, value)),
      removeItem: (name) => change(() => values.delete(name)),
      clear: () => change(() => values.clear()),
    };
  };
}
