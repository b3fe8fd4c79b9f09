import 'graphiql/setup-workers/vite';
import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import '../mantine.css';
import 'graphiql/style.css';
import { createRoot } from 'react-dom/client';
import { SessionRoot } from '../api';
import '../main.css';
import { THEME_KEY } from '../shared/preferences';
import { Notices } from '../shared/Notices';
import { theme } from '../theme';
import './graphiql.css';
import { GraphiqlPage } from './GraphiqlPage';

const nonce = document.querySelector('meta[name="csp-nonce"]')?.getAttribute('content') ?? '';

// The scroll lock of dialogs adds a style element, and takes the nonce from this global name.
Object.assign(globalThis, { __webpack_nonce__: nonce });

const root = document.getElementById('root');

if (root !== null) {
  createRoot(root).render(
    <MantineProvider
      theme={theme}
      colorSchemeManager={localStorageColorSchemeManager({ key: THEME_KEY })}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <Notices>
        <SessionRoot>
          <GraphiqlPage />
        </SessionRoot>
      </Notices>
    </MantineProvider>,
  );
}
