import { defineConfig } from 'vitest/config';

/** Only scripts/pictures runs these files: they need its server, its browser and its folder. */
const config = defineConfig({
  test: {
    include: ['tests/pictures/*.pictures.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

export { config as default };
