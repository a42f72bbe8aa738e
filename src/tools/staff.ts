// `npm run staff -- NAME`: gives an account staff rights, or a new password. The first staff account gets its rights by this
// program, because no endpoint gives them. An imported account without a usable password gets a password by it.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { foldName } from '../accounts/account.ts'
import { hashPassword } from '../accounts/password.ts'
import { resetPassword, setStaff } from '../accounts/sql/administration.ts'
import { openDatabase } from '../infra/database.ts'
import { TiebarError } from '../kernel/error.ts'
import { Trace } from '../kernel/trace.ts'
import { findDatabase } from './named-database.ts'
import { type Program, runProgram, UsageError } from './program.ts'
import { DatabaseError, describeFailure } from './statements.ts'

const usage = `usage: npm run staff -- NAME [--remove | --reset-password]

  NAME               a username, in any case
  --remove           removes the staff rights
  --reset-password   creates a new password, prints it and ends all sessions of the account; its rights do not change

The database is the one of DATABASE_URL (and NEON_FETCH_ENDPOINT, if it is not Neon's), else the one in
.local/platform.json, which "npm run dev" writes; LOCAL_DIR= moves .local/.

Exit codes: 0 done, or nothing to change · 1 no such account, or an error of the database · 2 wrong usage
`

/** Without the characters that people confuse: 0 and o, 1 and l and i. */
const passwordCharacters = 'abcdefghjkmnpqrstuvwxyz23456789'
/** 4 groups of 5 characters: 99 bits. */
const [groups, groupLength] = [4, 5]

const main: Program['main'] = async (args, { env, stdout, stderr }) => {
  const options = {
    remove: { type: 'boolean', default: false },
    'reset-password': { type: 'boolean', default: false },
  } as const
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  const [name, ...rest] = positionals
  if (name === undefined || rest.length > 0) throw new UsageError('Give one NAME.')
  if (values.remove && values['reset-password']) throw new UsageError('Give --remove or --reset-password, not both.')
  const address = findDatabase(env)
  const database = openDatabase(address.database_url, address.fetch_endpoint)(new Trace())
  const key = foldName(name)
  const password = values['reset-password'] ? createPassword() : undefined
  const hash = password && (await hashPassword(password))
  const change = hash ? resetPassword(database, key, hash) : setStaff(database, key, !values.remove)
  const account = await change.catch((error: unknown) => {
    if (!(error instanceof TiebarError)) throw error
    throw new DatabaseError(`${error.message} (${describeFailure(address, error.cause)})`)
  })
  if (!account) {
    stderr.write(`There is no account named ${name}.\n`)
    return 1
  }
  if ('ended' in account) {
    stdout.write(`${password}\n`)
    stderr.write(
      `This is the password of ${account.username} now; it is not shown again. Sessions ended: ${account.ended}. ` +
        'Give it to the person, who should change it after the log-in: POST /api/me/password.\n',
    )
  } else stdout.write(`${account.username} is ${values.remove ? 'no longer staff' : 'staff now'}.\n`)
  if (!account.is_active) stderr.write('The account is disabled: nobody can use it until staff enables it.\n')
  if ('staff_count' in account && account.staff_count === 0) {
    stderr.write('No active staff account is left.\n')
  }
  return 0
}

export const program: Program = { usage, main }
if (import.meta.main) await runProgram(program)

/** A password that people can read out: `k7mqp-…`. */
function createPassword(): string {
  const character = () => passwordCharacters[randomInt(passwordCharacters.length)]
  const group = () => Array.from({ length: groupLength }, character).join('')
  return Array.from({ length: groups }, group).join('-')
}
