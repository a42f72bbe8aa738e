// Password hashes of the old system: Django's PBKDF2PasswordHasher, `pbkdf2_sha256$870000$salt$hash`. The salt is text,
// the hash is base64. https://docs.djangoproject.com/en/5.1/topics/auth/passwords/
import { pbkdf2Async } from '@noble/hashes/pbkdf2.js'
import { sha256 } from '@noble/hashes/sha2.js'

const hashBytes = 32
/** Django uses fewer. A forged hash with more rounds would block the CPU for too long. */
const maxRounds = 2_000_000

export type DjangoHash = { rounds: number; salt: string; hash: Buffer }

const format = /^pbkdf2_sha256\$(\d{1,7})\$([^$]+)\$([A-Za-z0-9+/]{43}=)$/

export function parseDjangoHash(text: string): DjangoHash | undefined {
  const [, rounds = '', salt = '', hash = ''] = format.exec(text) ?? []
  if (Number(rounds) < 1 || Number(rounds) > maxRounds) return undefined
  return { rounds: Number(rounds), salt, hash: Buffer.from(hash, 'base64') }
}

/** Runs in JavaScript, because the runtime's own PBKDF2 accepts at most 100,000 rounds. */
export function deriveDjangoHash(password: string, { rounds, salt }: DjangoHash): Promise<Uint8Array> {
  return pbkdf2Async(sha256, password, salt, { c: rounds, dkLen: hashBytes })
}
