import { defineConfig } from 'vitest/config';

const LONGEST = 300_000;

/** Only scripts/bench --console runs these files: they need its server, its world and its browser. */
const config = defineConfig({
  test: {
    include: ['tests/timing/*.timing.ts'],
    fileParallelism: false,
    testTimeout: LONGEST,
    hookTimeout: LONGEST,
  },
});

export { config as default };
