import { env } from 'node:process';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, expect, inject } from 'vitest';
import { launchOptions } from './browser';

/** What a visit may differ in. An error that matches one of `expected` is no problem. */
export interface Options {
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly expected?: readonly RegExp[];
  /** Another address than that of the server, such as that of a proxy, without a slash at its end. */
  readonly base?: string;
}

/** The address of the server, without a slash at its end, and the programs of this machine. */
export const address = required('ADDRESS');
export const demoPassword = required('DEMO_PASSWORD');

const HEIGHT = 900;
const WIDTH = 1280;
/** Milliseconds of one step, so that a failure names the step and not the test. */
const STEP_TIMEOUT = 60_000;
const TOKEN = /eyJ|\bost_/;

let browser: Promise<Browser> | undefined;

afterAll(async () => {
  await (await browser)?.close();
});

/**
 * Opens a page in a browser session of its own and takes the steps.
 *
 * A visit fails, even if its steps succeed, on an error in the browser's console (a breach of the content security
 * policy is one), a request to another host, or a token in the storage of the page.
 */
export async function visit(steps: (page: Page) => Promise<void>, options: Options = {}): Promise<void> {
  browser ??= open();
  const context = await (
    await browser
  ).newContext({
    baseURL: options.base ?? address,
    colorScheme: options.colorScheme ?? 'light',
    viewport: { width: options.width ?? WIDTH, height: HEIGHT },
  });
  try {
    context.setDefaultTimeout(STEP_TIMEOUT);
    const page = await context.newPage();
    const problems = watch(page, options.expected ?? [], options.base ?? address);
    await steps(page);
    expect(problems).toEqual([]);
    expect(
      await page.evaluate(() => JSON.stringify([window.localStorage, window.sessionStorage])),
    ).not.toMatch(TOKEN);
  } finally {
    await context.close();
  }
}

/** Connects to the browser of this process, or starts one where a configuration has none. */
async function open(): Promise<Browser> {
  const endpoint: string | undefined = inject('browser');
  return endpoint === undefined ? chromium.launch(launchOptions()) : chromium.connect(endpoint);
}

function watch(page: Page, expected: readonly RegExp[], base: string): string[] {
  const problems: string[] = [];
  const note = (source: string, text: string): void => {
    if (!expected.some((pattern) => pattern.test(text))) {
      problems.push(`${source}: ${text}`);
    }
  };
  page.on('pageerror', (error) => note('error', error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') {
      note('console', message.text());
    }
  });
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== new URL(base).origin) {
      problems.push(`request to another host: ${request.url()}`);
    }
  });
  return problems;
}

function required(name: string): string {
  const value = env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: run scripts/test -k journey, which starts a server and a browser`);
  }
  return value;
}
