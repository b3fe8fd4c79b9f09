import type { Page, Request } from 'playwright-core';
import { ask } from './corals';

type Nodes<Node> = { readonly nodes: readonly Node[] };

interface Some {
  readonly resources: Nodes<{ readonly id: string }>;
  readonly orgs: Nodes<{ readonly slug: string }>;
  readonly groups: Nodes<{ readonly slug: string }>;
}

const SOME = `{
  resources(first: 1) { nodes { id } } orgs(first: 1) { nodes { slug } } groups(first: 1) { nodes { slug } }
}`;

/** The pages of everybody, signed in or not. */
export const publicPaths = ['/', '/login', '/organizations', '/resources', '/licenses'] as const;

const tabsOf = (path: string, tabs: readonly string[]): readonly string[] => [
  path,
  ...tabs.map((tab) => `${path}?tab=${tab}`),
];

/** The address of every page, as the administrator of the registry sees it. */
export async function allPaths(page: Page, api = '/graphql'): Promise<readonly string[]> {
  const { resources, orgs, groups } = await ask<Some>(page, SOME, {}, api);
  const resource = `/resources/${resources.nodes[0]?.id ?? ''}`;
  return [
    '/',
    ...tabsOf('/account', ['password', 'storage', 'tokens', 'sessions']),
    '/settings/users',
    ...tabsOf('/settings/users/ines', ['belongs', 'attributes', 'tokens', 'access', 'audit']),
    '/settings/users/ines/off-board',
    '/settings/roles',
    '/settings/types',
    '/settings/tokens',
    '/organizations',
    ...tabsOf(`/organizations/${orgs.nodes[0]?.slug ?? ''}`, ['members', 'settings']),
    '/groups',
    `/groups/${groups.nodes[0]?.slug ?? ''}`,
    '/resources',
    ...['', '/settings', '/people', '/history'].map((part) => resource + part),
    '/audit',
    '/licenses',
  ];
}

/** Milliseconds without a request. Playwright's `networkidle` waits for 500 of them on each page. */
const QUIET = 120;

/** Returns a function that waits until no request of the page runs, and none begins for a moment. */
function traffic(page: Page): () => Promise<void> {
  const running = new Set<Request>();
  let last = performance.now();
  const begin = (request: Request): void => void running.add(request);
  const end = (request: Request): void => {
    running.delete(request);
    last = performance.now();
  };
  page.on('request', begin).on('requestfinished', end).on('requestfailed', end);
  return async () => {
    while (running.size > 0 || performance.now() - last < QUIET) {
      await page.waitForTimeout(QUIET / 4);
    }
    page.off('request', begin).off('requestfinished', end).off('requestfailed', end);
  };
}

/** Opens a page, and waits until it is there with its data. */
export async function openPage(page: Page, address: string): Promise<void> {
  const quiet = traffic(page);
  await page.goto(address);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await quiet();
}
