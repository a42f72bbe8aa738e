// `npm run keys`: makes JWT_KEYS, and the value of each step of a rotation. The secret goes to stdout, words to stderr.
import { text as readText } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { signingKeys } from '../env.ts'
import { makeKey, RotationError, rotate } from './key-rotation.ts'
import { runProgram } from './program.ts'

const usage = `usage: npm run -s keys                 a new JWT_KEYS with one key
       npm run -s keys -- --rotate     JWT_KEYS for the next step of a rotation

Pipe it to where secrets are kept:  npm run -s keys | npx wrangler secret put JWT_KEYS
Keep a copy: a rotation reads the present JWT_KEYS from the environment, or else from stdin.

The first key signs, both verify. A rotation has three steps, each a deployment of its own, and signs nobody out:

  1. [old]      → [old, new]   the new key is known everywhere before it signs
  2. [old, new] → [new, old]   15 min later: by then every isolate runs step 1, and no controller's copy of
                               /.well-known/jwks.json lacks the new key; what the old key signed is still good
  3. [new, old] → [new]        24 h after step 2: by then everything that the old key signed has expired

Which step is next is read off the keys: each is named by the time it was made. A step that comes too soon for the age
of the new key is refused; whether step 2 was deployed 24 h ago only you can know.
A key that somebody else has seen is replaced at once by a new JWT_KEYS. That signs everybody out, as it must.

Exit codes: 0 done · 1 too soon · 2 wrong usage, or a JWT_KEYS that cannot be read
`

await runProgram(usage, async () => {
  const { values } = parseArgs({ options: { rotate: { type: 'boolean', default: false } } })
  if (!values.rotate) {
    print([makeKey(Date.now())])
    process.stderr.write('A new JWT_KEYS. Where another one is in use, it signs everybody out; --rotate does not.\n')
    return 0
  }
  const { keys, words } = rotate(await readPresent(), Date.now())
  print(keys)
  process.stderr.write(`${words}\n`)
  return 0
})

function print(keys: object[]): void {
  process.stdout.write(`${JSON.stringify(keys)}\n`)
}

/** @throws RotationError that never shows what was read */
async function readPresent() {
  const text = process.env.JWT_KEYS || (process.stdin.isTTY ? '' : await readText(process.stdin))
  if (text.trim() === '') throw new RotationError('Give the present JWT_KEYS in the environment or on stdin.')
  const present = signingKeys.safeParse(text)
  if (present.success) return present.data
  const faults = present.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
  throw new RotationError(`This is no JWT_KEYS: ${faults.join('; ')}.`)
}
