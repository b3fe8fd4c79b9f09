import { defineConfig } from 'vitest/config';

/** Only tests/console/test_journeys.py runs these files: they need its server and its browser. */
const config = defineConfig({
  test: { include: ['tests/**/*.spec.ts'], testTimeout: 120_000, hookTimeout: 60_000 },
});

export { config as default };
