// Before the first test: what every world starts from is made once, not by each file.
import { shareBuild } from './build.ts'
import { openBlank } from './platform/postgres/blank.ts'

export default async function setup(): Promise<void> {
  await Promise.all([shareBuild(), ...(process.env.LOCAL_POSTGRES_URL ? [] : [openBlank()])])
}
