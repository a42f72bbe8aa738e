// Runs before the first test: prepares once what every world needs. Vitest calls the result after the last one.
import { shareBuild } from './build.ts'
import { shareMigrated } from './migrated.ts'

export default async function setup(): Promise<() => Promise<void>> {
  const [dropMigrated] = await Promise.all([shareMigrated(), shareBuild()])
  return dropMigrated
}
