import { defineConfig } from 'vitest/config';

/**
 * Only tests/console/test_journeys.py runs these files: they need its server and its browser.
 *
 * A claim that is polled waits as long as a step: on a busy machine, the second of vitest is too short.
 */
const config = defineConfig({
  test: {
    include: ['tests/**/*.spec.ts'],
    globalSetup: 'tests/browser.ts',
    testTimeout: 400_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 60_000 } },
  },
});

export { config as default };
