// `npm run keys`: writes a value of JWT_KEYS, new or for the next step of a rotation, to stdout. Messages go to stderr.
import { text as readText } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { signingKeys } from '../env.ts'
import { makeKey, RotationError, rotate } from './key-rotation.ts'
import { type Host, type Program, runProgram } from './program.ts'

const usage = `usage: npm run -s keys                 a new JWT_KEYS with one key
       npm run -s keys -- --rotate     JWT_KEYS for the next step of a rotation

Pipe it to where secrets are kept:  npm run -s keys | npx wrangler secret put JWT_KEYS
Keep a copy: a rotation reads the current JWT_KEYS from the environment, or else from stdin.

The first key signs, both verify. A rotation has three steps, each a deployment of its own. It ends no session:

  1. [old]      → [old, new]   every isolate gets the new key before it signs
  2. [old, new] → [new, old]   15 min later: by then every isolate runs step 1, and every controller's copy of
                               /.well-known/jwks.json has the new key; the old key still verifies
  3. [new, old] → [new]        24 h after step 2: by then every token that the old key signed has expired

The id of a key contains the time when it was created, which decides the next step. A step that is too early for the age
of the new key is refused. The program cannot know when step 2 was deployed: wait 24 h from then.
If somebody else has seen a key, replace JWT_KEYS by a new one at once. That ends all sessions.

Exit codes: 0 done · 1 too soon · 2 wrong usage, or JWT_KEYS is not valid
`

const main: Program['main'] = async (args, host) => {
  const { values } = parseArgs({ args, options: { rotate: { type: 'boolean', default: false } } })
  if (!values.rotate) {
    print(host, [makeKey(Date.now())])
    host.stderr.write('This is a new JWT_KEYS. If it replaces another, all sessions end; with --rotate they do not.\n')
    return 0
  }
  const { keys, message } = rotate(await readCurrent(host), Date.now())
  print(host, keys)
  host.stderr.write(`${message}\n`)
  return 0
}

function print({ stdout }: Host, keys: object[]): void {
  stdout.write(`${JSON.stringify(keys)}\n`)
}

/** @throws RotationError that never shows what was read */
async function readCurrent({ env, stdin }: Host) {
  const text = env.JWT_KEYS || (stdin.isTTY ? '' : await readText(stdin))
  if (text.trim() === '') throw new RotationError('Give the current JWT_KEYS in the environment or on stdin.')
  const current = signingKeys.safeParse(text)
  if (current.success) return current.data
  const faults = current.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
  throw new RotationError(`JWT_KEYS is not valid: ${faults.join('; ')}.`)
}

export const program: Program = { usage, main }
if (import.meta.main) await runProgram(program)
