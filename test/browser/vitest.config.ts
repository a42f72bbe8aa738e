// The tests that need a browser: `npm run test:browser`. Two files at a time, but those that measure times run alone, after all others.
import { defineConfig } from 'vitest/config'

const all = 'test/browser/*.browser.ts'
const alone = ['budget', 'offline'].map((name) => `test/browser/${name}.browser.ts`)

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    globalSetup: ['test/global-setup.ts'],
    isolate: false, // the files of a worker share their imports, which take seconds
    testTimeout: 90_000,
    hookTimeout: 90_000,
    projects: [
      {
        extends: true,
        test: { name: 'together', include: [all], exclude: alone, maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
