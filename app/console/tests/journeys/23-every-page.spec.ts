import axe from 'axe-core';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { allPaths, openPage, publicPaths } from '../pages';
import { adminPassword, openAs } from '../session';
import { visit } from '../visit';

const HEIGHT = 900;
const NARROW = 390;
const WIDE = 1280;
const LEAST = 24;

/** Returns all that axe finds on this page. */
async function violations(page: Page): Promise<readonly string[]> {
  const broken: AxeResults['violations'] = await page.evaluate(`(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations;
  })()`);
  return broken.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

/** Returns what is pressed and is less than 24 pixels wide or high. Links inside of a text may be. */
async function smallTargets(page: Page): Promise<readonly string[]> {
  return page.evaluate((least) => {
    const inText = (element: Element): boolean =>
      element.matches('a') && element.parentElement?.textContent.trim() !== element.textContent.trim();
    // The whole box of a MultiSelect takes its clicks, and the skip link has no size before it has the focus.
    return [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !inText(element))
      .filter((element) => !element.matches('.mantine-PillsInputField-field'))
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 2 && (box.width < least || box.height < least))
      .map(({ element }) => `${element.tagName} ${element.className} ${element.textContent}`);
  }, LEAST);
}

/** Looks at a page in light and dark, and on a narrow screen, where nothing may scroll sideways. */
async function inspect(page: Page, path: string): Promise<readonly string[]> {
  await page.setViewportSize({ width: WIDE, height: HEIGHT });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await openPage(page, path);
  await page.evaluate(axe.source);
  const problems = (await violations(page)).map((text) => `${path} light: ${text}`);
  problems.push(...(await smallTargets(page)).map((text) => `${path} is too small: ${text}`));
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  problems.push(...(await violations(page)).map((text) => `${path} dark: ${text}`));
  await page.setViewportSize({ width: NARROW, height: HEIGHT });
  problems.push(...(await violations(page)).map((text) => `${path} narrow: ${text}`));
  problems.push(...(await smallTargets(page)).map((text) => `${path} narrow, is too small: ${text}`));
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  return width > NARROW ? [...problems, `${path} scrolls sideways: ${String(width)}`] : problems;
}

async function inspectAll(page: Page, paths: readonly string[]): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const path of paths) {
    problems.push(...(await inspect(page, path)));
  }
  return problems;
}

test('every page is accessible, light and dark, wide and narrow', async () => {
  await visit(async (page) => {
    expect(await inspectAll(page, publicPaths)).toEqual([]);
    await openAs(page, 'admin', adminPassword, '/organizations');
    expect(await inspectAll(page, await allPaths(page))).toEqual([]);
  });
}, 400_000);
