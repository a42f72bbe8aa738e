// `npm run db:restored`: makes a database that was restored from a backup safe to use: ends all sessions, revokes all
// API keys and password resets, and closes all open jobs.
import { parseArgs } from 'node:util'
import { recordProgram } from '../accounts/sql/audit.ts'
import { endAllSessions, revokeAllKeys, revokeAllResets } from '../accounts/sql/end-all.ts'
import { toStatement } from '../infra/database.ts'
import { closeOpenJobs } from '../jobs/sql/close-open.ts'
import { findDatabase } from './named-database.ts'
import { type Program, runProgram, UsageError } from './program.ts'
import { runStatements } from './statements.ts'

const usage = `usage: npm run db:restored -- --confirm HOST/DATABASE

  --confirm   the host and the name of the database in DATABASE_URL. Without it, nothing is done

For a database that was restored from a backup, before the Worker uses it. Ends all sessions: everybody must log in again,
and every stream of the change feed ends within a minute.
Revokes all API keys, because a key may have been revoked after the backup: programs need new ones.
Revokes all tokens for new passwords, because one may have been used after the backup: staff issue new ones.
Closes all open jobs: they are FAILED with the reason outcome_unknown, and their machines are in ERROR, also where the
job was QUEUED: it may have been sent after the backup. Raises the sequence of all machines, because a controller may have
seen later commands. It is safe to repeat. docs/deploy.md has the other steps.

The database is the one of DATABASE_URL (and NEON_FETCH_ENDPOINT, if it is not Neon's), else the one in
.local/platform.json, which "npm run dev" writes; LOCAL_DIR= moves .local/.

Exit codes: 0 done, or nothing to do · 1 an error of the database, and nothing was changed · 2 wrong usage
`

const main: Program['main'] = async (args, { env, stdout }) => {
  const { values } = parseArgs({ args, options: { confirm: { type: 'string' } } })
  const address = findDatabase(env)
  const { host, pathname } = new URL(address.database_url)
  const name = `${host}${decodeURIComponent(pathname)}`
  if (values.confirm !== name)
    throw new UsageError(
      `This ends all sessions, revokes all API keys and password resets, and closes all open jobs. To do it: --confirm ${name}`,
    )
  const statements = [
    recordProgram('database.restore'),
    ...closeOpenJobs,
    endAllSessions,
    revokeAllKeys,
    revokeAllResets,
  ]
  const results = await runStatements(address, statements.map(toStatement))
  const [[jobs = {}] = [], [sessions = {}] = [], [keys = {}] = [], [resets = {}] = []] = results.slice(-4)
  stdout.write(`${sessions.ended} sessions ended.
${keys.revoked} API keys revoked.
${resets.revoked} tokens for new passwords revoked.
${jobs.failed} jobs that were open are FAILED, outcome_unknown, and their machines are in ERROR: look at each, then send a
STOP or set its status.
`)
  return 0
}

export const program: Program = { usage, main }
if (import.meta.main) await runProgram(program)
