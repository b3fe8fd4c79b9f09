import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import './mantine.css';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { SessionRoot } from './api';
import './main.css';
import './directions.css';
import { makeRouter } from './routes';
import { Notices } from './shared/Notices';
import { THEME_KEY } from './shared/preferences';
import { theme } from './theme';

const nonce = document.querySelector('meta[name="csp-nonce"]')?.getAttribute('content') ?? '';

// The scroll lock of dialogs adds a style element, and takes the nonce from this global name.
Object.assign(globalThis, { __webpack_nonce__: nonce });

const router = makeRouter();
const schemes = localStorageColorSchemeManager({ key: THEME_KEY });
const root = document.getElementById('root');

if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        colorSchemeManager={schemes}
        defaultColorScheme="auto"
        getStyleNonce={() => nonce}
      >
        <Notices>
          <SessionRoot>
            <RouterProvider router={router} />
          </SessionRoot>
        </Notices>
      </MantineProvider>
    </StrictMode>,
  );
}
