// The order of the test files: those that take longest begin first, so that none of them runs alone at the end. Vitest only
// knows the durations of its last run, which may have been one file.
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Longest first; each takes at least 15 s, most of it with password hashes, deadlines, or programs that start. */
const longest = [
  'live/changes.test.ts',
  'attacks/guessing.test.ts',
  'platform/main.test.ts',
  'accounts/password.test.ts',
  'accounts/profile.test.ts',
  'http/health.test.ts',
  'extension.test.ts',
  'accounts/log-in.test.ts',
  'accounts/limits.test.ts',
  'client/client.test.ts',
  'accounts/sign-up.test.ts',
  'platform/local.test.ts',
  'jobs/storing.test.ts',
  'sites/matrix.test.ts',
  'accounts/known-address.test.ts',
  'tools/migrations.test.ts',
  'accounts/keys.test.ts',
  'jobs/answers.test.ts',
  'platform/dev-vars.test.ts',
  'jobs/round-trips.test.ts',
  'tools/import.test.ts',
]

for (const file of longest) {
  if (!existsSync(join(import.meta.dirname, file))) throw new TypeError(`not a test file: ${file}`)
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = longest.indexOf(relative(import.meta.dirname, moduleId))
  return place === -1 ? longest.length : place
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files)
    return usual.toSorted((one, other) => placeOf(one) - placeOf(other))
  }
}
