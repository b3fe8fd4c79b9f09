import { join } from 'node:path';
import { env } from 'node:process';
import type { Page } from 'playwright-core';
import { test } from 'vitest';
import { adminPassword, openAs } from '../session';
import { demoPassword, visit } from '../visit';

interface Options {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

type Steps = (page: Page) => Promise<void>;

const WIDTH = 1280;
const HEIGHT = 720;
const MILLISECONDS_OF_MOVEMENT = 600;

/** Takes a picture of the page that the steps end on. A page with an error has none. */
export function picture(name: string, steps: Steps, options: Options = {}): void {
  const { width = WIDTH, height = HEIGHT } = options;
  test(name, async () => {
    await visit(
      async (page) => {
        await page.setViewportSize({ width, height });
        await steps(page);
        await settle(page);
        await page.screenshot({
          path: join(env['PICTURES'] ?? '.', `console-${name}.png`),
          animations: 'disabled',
          scale: 'css',
        });
      },
      { ...options, width },
    );
  });
}

/** Waits until the fonts are there and nothing moves. */
async function settle(page: Page): Promise<void> {
  await page.mouse.move(0, 0);
  await page.evaluate(async () => document.fonts.ready);
  await page.waitForTimeout(MILLISECONDS_OF_MOVEMENT);
}

export const asAdmin = async (page: Page, path: string): Promise<void> =>
  openAs(page, 'admin', adminPassword, path);

export const asInes = async (page: Page, path: string): Promise<void> =>
  openAs(page, 'ines', demoPassword, path);

const EXAMPLES = '/resources/marine-science';

/** Opens a tab of an example of the demo world, as the user who is signed in. */
export async function openExample(page: Page, slug: string, tab?: string): Promise<void> {
  await page.goto(`${EXAMPLES}/${slug}`);
  await page.waitForURL(/\/resources\/[^/]+$/);
  if (tab !== undefined) {
    await page
      .getByRole('navigation', { name: 'Pages of this resource' })
      .getByRole('link', { name: tab })
      .click();
    await page.waitForURL(new RegExp(`/${tab.toLowerCase()}$`));
  }
}

/** Opens the access settings of the example that a group of editors writes to. */
export async function openAccess(page: Page): Promise<void> {
  await asInes(page, '/');
  await openExample(page, 'example-editors-write', 'Settings');
  await page.getByRole('heading', { name: 'General Access' }).waitFor();
}
