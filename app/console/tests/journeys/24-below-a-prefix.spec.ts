import { createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allPaths, openPage } from '../pages';
import { adminPassword, submitSignIn } from '../session';
import { address, visit } from '../visit';

const PREFIX = '/ostiary';

let proxy: Server;
let base = '';

/** A proxy that has the registry below a prefix, and nothing beside it. */
beforeAll(async () => {
  proxy = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '/';
    if (!path.startsWith(`${PREFIX}/`)) {
      outgoing.writeHead(404).end();
      return;
    }
    const { method, headers } = incoming;
    const target = new URL(address + path.slice(PREFIX.length));
    const passed = request(target, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  const own = proxy.address();
  base = `http://127.0.0.1:${String(typeof own === 'object' && own !== null ? own.port : 0)}`;
});

afterAll(() => {
  proxy.closeAllConnections();
  proxy.close();
});

test('the console works below a prefix', async () => {
  await visit(
    async (page) => {
      await page.goto(`${PREFIX}/settings/users`);
      await page.waitForURL(`**${PREFIX}/login?returnTo=*`);
      await submitSignIn(page, 'admin', adminPassword);
      await page.waitForURL(`**${PREFIX}/settings/users`);
      await page.getByRole('link', { name: 'Groups', exact: true }).click();
      await page.waitForURL(`**${PREFIX}/groups`);
      for (const path of await allPaths(page, `${PREFIX}/graphql`)) {
        await openPage(page, PREFIX + path);
        expect(new URL(page.url()).pathname).toBe(PREFIX + path.split('?')[0]);
      }
      await page.goto(`${PREFIX}/graphql`);
      await page.getByText('Signed in as admin.').waitFor();
      await page.getByRole('button', { name: 'Who am I' }).click();
      await page.getByRole('button', { name: /^Execute query/ }).click();
      await page.getByRole('region', { name: 'Answer' }).getByText('Status 200').waitFor();
    },
    { base },
  );
}, 240_000);
