// `npm run db:migrate`: applies the migrations of this checkout to the database. Safe to repeat.
import { parseArgs } from 'node:util'
import { migrate, readMigrationState } from './migrations.ts'
import { findDatabase } from './named-database.ts'
import { runProgram } from './program.ts'

const usage = `usage: npm run db:migrate

The database is the one of DATABASE_URL (and NEON_FETCH_ENDPOINT, if it is not Neon's), else the one in
.local/platform.json, which "npm run dev" writes; LOCAL_DIR= moves .local/.

Each migration is one transaction. A database whose tables were not made by these migrations is left as it is.

Exit codes: 0 done, or nothing to do · 1 unknown schema, or an error of the database · 2 wrong usage
`

await runProgram(usage, async () => {
  parseArgs() // throws for any argument
  const address = findDatabase(process.env)
  const applied = await migrate(address)
  for (const name of applied) process.stdout.write(`applied  ${name}\n`)
  const { applied: all } = await readMigrationState(address)
  process.stdout.write(`The database is at ${all.at(-1) ?? 'nothing: there are no migrations'}.\n`)
})
