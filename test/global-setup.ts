// Before the first test: the blank database that every world on PGlite starts from is made once, not by each file.
import { openBlank } from './platform/postgres/blank.ts'

export default async function setup(): Promise<void> {
  if (!process.env.LOCAL_POSTGRES_URL) await openBlank()
}
