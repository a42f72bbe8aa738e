// `npm run staff -- NAME`: gives an account staff rights. The first staff account needs it: no endpoint makes one.
import { parseArgs } from 'node:util'
import { foldName } from '../accounts/account.ts'
import { setStaff } from '../accounts/sql/administration.ts'
import { openDatabase } from '../infra/database.ts'
import { TiebarError } from '../kernel/error.ts'
import { Trace } from '../kernel/trace.ts'
import { findDatabase } from './named-database.ts'
import { runProgram, UsageError } from './program.ts'
import { DatabaseError, describeFailure } from './statements.ts'

const usage = `usage: npm run staff -- NAME [--remove]

  NAME       a username, in any case
  --remove   removes the staff rights

The database is the one of DATABASE_URL (and NEON_FETCH_ENDPOINT, if it is not Neon's), else the one in
.local/platform.json, which "npm run dev" writes; LOCAL_DIR= moves .local/.

Exit codes: 0 done, or nothing to change · 1 no such account, or an error of the database · 2 wrong usage
`

await runProgram(usage, async () => {
  const options = { remove: { type: 'boolean', default: false } } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [name, ...rest] = positionals
  if (name === undefined || rest.length > 0) throw new UsageError('Give one NAME.')
  const address = findDatabase(process.env)
  const database = openDatabase(address.database_url, address.fetch_endpoint)(new Trace())
  const account = await setStaff(database, foldName(name), !values.remove).catch((error: unknown) => {
    if (!(error instanceof TiebarError)) throw error
    throw new DatabaseError(`${error.message} (${describeFailure(address, error.cause)})`)
  })
  if (!account) {
    process.stderr.write(`There is no account named ${name}.\n`)
    return 1
  }
  process.stdout.write(`${account.username} is ${values.remove ? 'not staff any more' : 'staff now'}.\n`)
  if (!account.is_active) process.stderr.write('The account is disabled: nobody can use it until staff enables it.\n')
  if (account.staff_count === 0) process.stderr.write('No active staff account is left.\n')
  return 0
})
