// Runs before each test file. Vitest cleans up only the fixtures that a test file has used.
import { inWorker } from './shared-world.ts'

inWorker.beforeAll(({ sharedWorld: _ }) => {})
