// The steps of a key rotation (RFC 7517 §4.5 on `kid`): at each, every isolate can verify what any other has signed.
import { generateKeyPairSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { SigningKey } from '../env.ts'
import { ProgramError } from './program.ts'

/** Until a deployment has arrived everywhere, and until copies of our JWK set (`max-age=300`) have run out. */
const spreadMs = 15 * 60 * 1_000
/** The longest that anything we sign is good: a refresh token, the token of an outcome. */
const longestTokenMs = 24 * 60 * 60 * 1_000

export class RotationError extends ProgramError {
  override readonly name = 'RotationError'
  override readonly exitCode: number

  constructor(message: string, exitCode = 2) {
    super(message)
    this.exitCode = exitCode
  }
}

/** A private Ed25519 JWK (RFC 8037), named by a UUIDv7 (RFC 9562 §5.7): the name tells when it was made. */
export function makeKey(nowMs: number): SigningKey {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  if (x === undefined || d === undefined) throw new TypeError('an Ed25519 key has both halves')
  return { kty: 'OKP', crv: 'Ed25519', kid: uuidv7({ msecs: nowMs }), x, d }
}

/**
 * Answers the keys of the next step, and words about it.
 * @throws RotationError when it is too soon, or when the names do not tell which key is the newer one
 */
export function rotate([first, second]: SigningKey[], nowMs: number): { keys: SigningKey[]; words: string } {
  if (!first) throw new TypeError('there is always one key')
  if (!second) {
    return {
      keys: [first, makeKey(nowMs)],
      words: 'Step 1 of 3: the new key verifies. Deploy this everywhere; step 2 can follow after 15 min.',
    }
  }
  const [firstMadeAt, secondMadeAt] = [readTime(first.kid), readTime(second.kid)]
  if (firstMadeAt === secondMadeAt) {
    throw new RotationError(
      'The names of the keys do not tell which is newer. Reorder or drop one by hand: see --help.',
    )
  }
  if (secondMadeAt > firstMadeAt) {
    refuseBefore(secondMadeAt + spreadMs, nowMs, 'not every isolate and controller may know the new key yet')
    return {
      keys: [second, first],
      words: 'Step 2 of 3: the new key signs, the old one verifies. Deploy this; step 3 can follow after 24 h.',
    }
  }
  refuseBefore(firstMadeAt + longestTokenMs, nowMs, 'tokens that the old key signed are still good')
  return {
    keys: [first],
    words: 'Step 3 of 3: the old key is gone. Deploy this if step 2 was deployed 24 h ago or earlier.',
  }
}

function refuseBefore(timeMs: number, nowMs: number, why: string): void {
  if (nowMs >= timeMs) return
  throw new RotationError(`Too soon: ${why}. Come back at ${new Date(timeMs).toISOString()} or later.`, 1)
}

const uuidv7Shape = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** When a key was made, in Unix ms. One whose name does not tell was not made here, so before all that were. */
function readTime(kid: string): number {
  return uuidv7Shape.test(kid) ? Number.parseInt(kid.replace('-', '').slice(0, 12), 16) : Number.NEGATIVE_INFINITY
}
