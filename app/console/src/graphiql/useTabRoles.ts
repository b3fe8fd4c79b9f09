import { useEffect } from 'react';
import type { RefObject } from 'react';

const TABS = '.graphiql-tabs, .graphiql-tab[role="tab"], .graphiql-tab[aria-selected]';

/** Make a list of what GraphiQL calls tabs: a tab must not have buttons in it, and these have two. */
function repair(root: HTMLElement): void {
  for (const element of root.querySelectorAll(TABS)) {
    const isCurrent = element.getAttribute('aria-selected') === 'true';
    element.removeAttribute('role');
    element.removeAttribute('aria-selected');
    if (element.matches('.graphiql-tab')) {
      element.querySelector('button')?.setAttribute('aria-current', String(isCurrent));
    }
  }
}

/** Keep the roles of the tabs right while GraphiQL draws them. */
export function useTabRoles(root: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const { current } = root;
    if (current === null) {
      return undefined;
    }
    const observer = new MutationObserver(() => repair(current));
    observer.observe(current, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: ['role', 'aria-selected'],
    });
    repair(current);
    return () => observer.disconnect();
  }, [root]);
}
