// Runs before the first test: prepares once what every world needs.
import { shareBuild } from './build.ts'
import { openMigrated } from './migrated.ts'

export default async function setup(): Promise<void> {
  await Promise.all([shareBuild(), ...(process.env.LOCAL_POSTGRES_URL ? [] : [openMigrated()])])
}
