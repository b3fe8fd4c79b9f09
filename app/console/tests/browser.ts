import { env } from 'node:process';
import { chromium } from 'playwright-core';
import type { LaunchOptions } from 'playwright-core';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly browser: string;
  }
}

/** The browser of this machine. */
export function launchOptions(): LaunchOptions {
  const executablePath = env['CHROMIUM'];
  if (executablePath === undefined || executablePath === '') {
    throw new Error('CHROMIUM is not set: run scripts/test -k journey, which starts a server and a browser');
  }
  return { executablePath, args: FLAGS };
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts one browser for all files that this process runs: each visit has a session of its own in it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await chromium.launchServer({ ...launchOptions(), host: '127.0.0.1' });
  project.provide('browser', server.wsEndpoint());
  return async () => server.close();
}
