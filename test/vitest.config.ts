// The tests run in parallel in a few workers. The files of one worker share one world (shared-world.ts) and their
// imports, because the packages take seconds to load. The layout rules need no platform, so they are a separate project
// that starts immediately.
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './longest-first.ts'
import { findTestsWithoutServices } from './without-services.ts'

// Node keeps what it has compiled of the packages, for the workers of this run and the next, and for their child processes.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../node_modules/.cache/tiebar/node')

const layout = 'test/architecture.test.ts'
/** Of `npm run test:services`, see services.ts. */
const leftOut = process.env.TEST_RUN === undefined ? [] : findTestsWithoutServices()

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    maxWorkers: 3, // for two cores: many tests wait for a deadline
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // Long timeouts, because a busy computer is slow: they only end tests that hang.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    teardownTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'layout', include: [layout], exclude: leftOut } },
      {
        extends: true,
        test: {
          name: 'platform',
          include: ['test/**/*.test.ts'],
          exclude: [layout, ...leftOut],
          globalSetup: ['test/global-setup.ts'],
          setupFiles: ['test/setup.ts'],
        },
      },
    ],
  },
})
