// The tests that need a browser: `npm run test:browser`.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/browser/*.browser.ts'],
    globalSetup: ['test/global-setup.ts'],
    fileParallelism: false, // some of them measure times
    testTimeout: 90_000,
    hookTimeout: 90_000,
  },
})
