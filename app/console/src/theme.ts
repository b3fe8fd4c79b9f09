import { Autocomplete, Drawer, Modal, MultiSelect, Select, createTheme } from '@mantine/core';
import { sharedWords } from './shared';

/** The close button has a name, and the head of a dialog is no landmark of the page. */
const dialog = {
  closeButtonProps: { 'aria-label': sharedWords.close },
  attributes: { header: { role: 'presentation' } },
} as const;

/** The list of options scrolls itself: a box around it that scrolls could not be reached by keyboard. */
const options = {
  withScrollArea: false,
  styles: { options: { maxHeight: 220, overflowY: 'auto' } },
} as const;

/** The one theme: system fonts, one accent, radius 6, spacing by 4. */
export const theme = createTheme({
  primaryColor: 'teal',
  primaryShade: 9,
  autoContrast: true,
  defaultRadius: 6,
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Modal: Modal.extend({ defaultProps: dialog }),
    Drawer: Drawer.extend({ defaultProps: dialog }),
    Autocomplete: Autocomplete.extend({ defaultProps: options }),
    MultiSelect: MultiSelect.extend({ defaultProps: options }),
    Select: Select.extend({ defaultProps: options }),
  },
});
