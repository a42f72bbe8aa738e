// The steps of a key rotation (RFC 7517 §4.5 on `kid`). After each step, every isolate can verify what any other signs.
import { generateKeyPairSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { SigningKey } from '../env.ts'
import { ProgramError } from './program.ts'

/** After this time, a deployment runs everywhere, and copies of the JWK set (`max-age=300`) have expired. */
const spreadMs = 15 * 60 * 1_000
/** The longest time that a signed token is valid: a refresh token or an outcome token. */
const longestTokenMs = 24 * 60 * 60 * 1_000

export class RotationError extends ProgramError {
  override readonly name = 'RotationError'
  override readonly exitCode: number

  constructor(message: string, exitCode = 2) {
    super(message)
    this.exitCode = exitCode
  }
}

/** A private Ed25519 JWK (RFC 8037). Its `kid` is a UUIDv7 (RFC 9562 §5.7), which has the time when it was made. */
export function makeKey(nowMs: number): SigningKey {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  if (x === undefined || d === undefined) throw new TypeError('an Ed25519 key has x and d')
  return { kty: 'OKP', crv: 'Ed25519', kid: uuidv7({ msecs: nowMs }), x, d }
}

/**
 * @returns the keys for the next step, and a message about it
 * @throws RotationError when it is too soon, or when the ids do not tell which key is newer
 */
export function rotate([first, second]: SigningKey[], nowMs: number): { keys: SigningKey[]; message: string } {
  if (!first) throw new TypeError('JWT_KEYS has at least one key')
  if (!second) {
    return {
      keys: [first, makeKey(nowMs)],
      message: 'Step 1 of 3: the new key verifies. Deploy this everywhere. Step 2 can follow after 15 min.',
    }
  }
  const [firstMadeAt, secondMadeAt] = [readTime(first.kid), readTime(second.kid)]
  if (firstMadeAt === secondMadeAt) {
    throw new RotationError(
      'The ids of the keys do not tell which is newer. Reorder them or remove one by hand: see --help.',
    )
  }
  if (secondMadeAt > firstMadeAt) {
    refuseBefore(secondMadeAt + spreadMs, nowMs, 'some isolates and controllers may not have the new key yet')
    return {
      keys: [second, first],
      message: 'Step 2 of 3: the new key signs, the old one verifies. Deploy this. Step 3 can follow after 24 h.',
    }
  }
  refuseBefore(firstMadeAt + longestTokenMs, nowMs, 'tokens that the old key signed are still valid')
  return {
    keys: [first],
    message: 'Step 3 of 3: the old key is removed. Deploy this when step 2 was deployed 24 h ago or earlier.',
  }
}

function refuseBefore(timeMs: number, nowMs: number, why: string): void {
  if (nowMs >= timeMs) return
  throw new RotationError(`Too soon: ${why}. Run this again at ${new Date(timeMs).toISOString()} or later.`, 1)
}

const uuidv7Shape = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** When a key was made, in Unix ms. A key with another kind of id is from elsewhere and counts as the oldest. */
function readTime(kid: string): number {
  return uuidv7Shape.test(kid) ? Number.parseInt(kid.replace('-', '').slice(0, 12), 16) : Number.NEGATIVE_INFINITY
}
