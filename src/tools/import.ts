// `npm run import -- FILE…`: imports accounts, machines and history from the old system's database.
import { runImport } from './import/run.ts'
import { oldTables } from './import/tables.ts'
import { type Program, runProgram } from './program.ts'

const usage = `usage: npm run import -- FILE... [--dry-run] [--columns TABLE=a,b,c] [--encoding [FILE=]NAME] [--time-zone ZONE]

  FILE         a dump of the old database, made with pg_dump --data-only (better with --column-inserts), or a CSV with a
               header of one of its tables: ${Object.keys(oldTables).join(', ')}
  --dry-run    reports what would be imported, and writes nothing
  --columns    the order of the columns in a dump that does not name them; TABLE is accounts, machines or history
  --encoding   utf-8 (the default), cp949, euc-kr, utf-16le or utf-16be, for files that do not say their encoding;
               with FILE= for this file, even if it says another one. A byte order mark always counts
  --time-zone  the time zone of times without an offset, for example Asia/Seoul; without it, rows with such a time are
               not imported

All files are imported in one transaction. It is safe to repeat: imported rows are skipped. The database is the one
of DATABASE_URL (and NEON_FETCH_ENDPOINT, if it is not Neon's), else the one in .local/platform.json, which "npm run dev"
writes; LOCAL_DIR= moves .local/. ALLOW_PRIVATE_CONTROLLERS=true keeps URLs with IP addresses. The change feed does not
tell what is imported: programs that follow it see that with their next connection, after 5 min at most.

Exit codes: 0 every row is imported · 1 an error of the database, and nothing was written · 2 wrong usage, or a file
that cannot be read, and nothing was written · 3 done, but some rows were not imported
`

const main: Program['main'] = async (args, { env, stdout }) => {
  const { exitCode, report } = await runImport(args, env)
  stdout.write(report)
  return exitCode
}

export const program: Program = { usage, main }
if (import.meta.main) await runProgram(program)
