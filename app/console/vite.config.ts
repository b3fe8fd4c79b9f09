import react from '@vitejs/plugin-react';
import license from 'rollup-plugin-license';
import type { Dependency } from 'rollup-plugin-license';
import { defineConfig } from 'vitest/config';
import type { Plugin } from 'vite';

/** The server that answers GraphQL while `npm run dev` serves the sources. */
const SERVER = process.env['OSTIARY_SERVER'] ?? 'http://127.0.0.1:5000';

/** Fill in what the server fills in for each answer. The build keeps the placeholders. */
function placeholders(): Plugin {
  return {
    name: 'placeholders',
    apply: 'serve',
    transformIndexHtml: (html) => html.replaceAll('__BASE_HREF__', '/').replaceAll('__CSP_NONCE__', 'dev'),
  };
}

/** GraphiQL brings fonts in its style sheet, and the symbols of its editor a second time. The console has those of the system. */
function withoutFonts(): Plugin {
  return {
    name: 'without-fonts',
    enforce: 'pre',
    transform: (code, id) =>
      /\/graphiql\/dist\/style\.css$/.test(id) ? code.replaceAll(/@font-face\s*\{[^}]*\}/g, '') : null,
  };
}

/** The text that the page /licenses shows. */
function licenseList(dependencies: Dependency[]): string {
  const entries = dependencies.map(({ name, version, license: kind, licenseText, homepage }) => ({
    name,
    version,
    license: kind,
    homepage,
    text: licenseText,
  }));
  return JSON.stringify(entries.sort((a, b) => (a.name ?? '').localeCompare(b.name ?? '', 'en')));
}

export const config = defineConfig({
  base: './',
  plugins: [
    react(),
    placeholders(),
    withoutFonts(),
    license({ thirdParty: { output: { file: 'dist/licenses.json', template: licenseList } } }),
  ],
  // Both names are of one parser, of which GraphiQL asks for each.
  resolve: {
    alias: [{ find: /^prettier\/parser-(\w+)$/, replacement: 'prettier/plugins/$1' }],
  },
  build: {
    target: 'es2022',
    manifest: true,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { input: { index: 'index.html', graphiql: 'graphiql.html' } },
  },
  worker: { format: 'es' },
  server: { host: '127.0.0.1', proxy: { '/graphql': SERVER } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});

export { config as default };
