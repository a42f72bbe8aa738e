// How the tests run: side by side, each file with a world of its own. What they import is loaded once by each worker,
// not by each file: the packages take seconds. The rules of the layout need no platform, so they are a project of their
// own that starts at once.
import { defineConfig } from 'vitest/config'

const layout = 'test/architecture.test.ts'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    maxWorkers: 3, // for two cores: many tests wait for a deadline
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'layout', include: [layout] } },
      {
        extends: true,
        test: {
          name: 'platform',
          include: ['test/**/*.test.ts'],
          exclude: [layout],
          globalSetup: ['test/global-setup.ts'],
        },
      },
    ],
  },
})
