// Passwords as the old system kept them: Django's PBKDF2PasswordHasher, `pbkdf2_sha256$870000$salt$hash`, where the salt
// is text and the hash base64. https://docs.djangoproject.com/en/5.1/topics/auth/passwords/
import { pbkdf2Async } from '@noble/hashes/pbkdf2.js'
import { sha256 } from '@noble/hashes/sha2.js'

const hashLength = 32
/** More would be no hash of Django's, and hours of CPU for whoever may write one. */
const mostRounds = 2_000_000

export type DjangoHash = { rounds: number; salt: string; hash: Buffer }

const format = /^pbkdf2_sha256\$(\d{1,7})\$([^$]+)\$([A-Za-z0-9+/]{43}=)$/

export function parseDjangoHash(text: string): DjangoHash | undefined {
  const [, rounds = '', salt = '', hash = ''] = format.exec(text) ?? []
  if (Number(rounds) < 1 || Number(rounds) > mostRounds) return undefined
  return { rounds: Number(rounds), salt, hash: Buffer.from(hash, 'base64') }
}

/** In JavaScript: the runtime's own PBKDF2 takes no more than 100,000 rounds. */
export function deriveDjangoHash(password: string, { rounds, salt }: DjangoHash): Promise<Uint8Array> {
  return pbkdf2Async(sha256, password, salt, { c: rounds, dkLen: hashLength })
}
