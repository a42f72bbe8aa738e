// `npm run db:migrate`: applies the migrations of this checkout to the database. Safe to repeat.
import { parseArgs } from 'node:util'
import { readMigrationState, updateDatabase } from './migrations.ts'
import { findDatabase } from './named-database.ts'
import { type Program, runProgram } from './program.ts'
import { setSessionDefaults } from './session-defaults.ts'

const usage = `usage: npm run db:migrate

The database is the one of DATABASE_URL (and NEON_FETCH_ENDPOINT, if it is not Neon's), else the one in
.local/platform.json, which "npm run dev" writes; LOCAL_DIR= moves .local/.

Each migration is one transaction, which gives up after 3 s if it does not get a lock. Indexes that are built CONCURRENTLY
follow it; an index whose build was interrupted is built again. A database whose tables were not made by these migrations
is left as it is. Afterwards, session settings on which Tiebar relies are set for the role of DATABASE_URL in this
database, if they differ. It is safe to repeat, and to run several times at once: a run waits until the one before it has
ended, or for 15 s after one that was killed.

Exit codes: 0 done, or nothing to do · 1 unknown schema, or an error of the database · 2 wrong usage
`

const main: Program['main'] = async (args, { env, stdout }) => {
  parseArgs({ args }) // throws for any argument
  const address = findDatabase(env)
  const applied = await updateDatabase(address)
  for (const name of applied) stdout.write(`applied  ${name}\n`)
  for (const { name, value, expected } of await setSessionDefaults(address)) {
    stdout.write(`set      ${name} = ${expected} (was ${value})\n`)
  }
  const { applied: all } = await readMigrationState(address)
  stdout.write(`The database is at ${all.at(-1) ?? 'nothing: there are no migrations'}.\n`)
  return 0
}

export const program: Program = { usage, main }
if (import.meta.main) await runProgram(program)
