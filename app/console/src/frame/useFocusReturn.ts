import { useEffect } from 'react';

const DIALOG = '[role="dialog"]';

/**
 * Give the focus back to what opened a dialog, when the dialog goes and takes the focus with it: many dialogs leave
 * the page at once when they are done, and the browser then focuses nothing.
 */
export function useFocusReturn(): void {
  useEffect(() => {
    let opener: HTMLElement | null = null;
    let isInside = false;
    const note = ({ target }: FocusEvent): void => {
      isInside = target instanceof HTMLElement && target.closest(DIALOG) !== null;
      if (!isInside && target instanceof HTMLElement) {
        opener = target;
      }
    };
    const observer = new MutationObserver(() => {
      if (isInside && document.activeElement === document.body && document.querySelector(DIALOG) === null) {
        isInside = false;
        opener?.focus({ preventScroll: true });
      }
    });
    document.addEventListener('focusin', note);
    observer.observe(document.body, { childList: true, subtree: true });
    return () => {
      document.removeEventListener('focusin', note);
      observer.disconnect();
    };
  }, []);
}
