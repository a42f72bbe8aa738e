// How the tests run: side by side in a few workers. The files of one worker share what they import, since the packages
// take seconds to load, and one world (shared-world.ts). The rules of the layout need no platform, so they are a project
// of their own that starts at once.
import { defineConfig } from 'vitest/config'

const layout = 'test/architecture.test.ts'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    maxWorkers: 3, // for two cores: many tests wait for a deadline
    isolate: false,
    // A busy machine is slow, and no failure: these only end what would never end.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'layout', include: [layout] } },
      {
        extends: true,
        test: {
          name: 'platform',
          include: ['test/**/*.test.ts'],
          exclude: [layout],
          globalSetup: ['test/global-setup.ts'],
          setupFiles: ['test/setup.ts'],
        },
      },
    ],
  },
})
