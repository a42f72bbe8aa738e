// Password hashes: scrypt in PHC format (https://github.com/P-H-C/phc-string-format), one at a time per isolate.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { deriveDjangoHash, parseDjangoHash } from './django-password.ts'
import { createHashQueue } from './hash-queue.ts'

/** One of the scrypt settings that OWASP recommends: 32 MiB per hash fit into a Worker's 128 MiB. */
const current = { ln: 15, r: 8, p: 3 }
const keyBytes = 32
const saltBytes = 16
const maxMemoryBytes = 64 * 1024 * 1024
/** One queue for all requests of the isolate. */
const queue = createHashQueue()

type Parameters = { ln: number; r: number; p: number }
type StoredHash = {
  hash: Buffer
  /** The hash does not have the current parameters; the next log-in replaces it. */
  isOutdated: boolean
  derive(password: string): Promise<Uint8Array>
}

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  const hash = await queue.run(() => derive(password, salt, current))
  return `$scrypt$ln=${current.ln},r=${current.r},p=${current.p}$${toBase64(salt)}$${toBase64(hash)}`
}

/**
 * Takes the same time for an unknown account (`stored` undefined) as for a wrong password. Only hashes of the old
 * system take longer, until the first log-in replaces them.
 * @param isUrgent whether it is checked before others that wait
 * @returns whether the password is right, and whether its hash should be replaced by one with the current parameters
 */
export async function verifyPassword(
  password: string,
  stored: string | undefined,
  isUrgent = false,
): Promise<{ isRight: boolean; isOutdated: boolean }> {
  const known = stored === undefined ? undefined : (parseScrypt(stored) ?? parseDjango(stored))
  const { hash, isOutdated, derive } = known ?? dummyHash
  const derived = await queue.run(() => derive(password), { isUrgent })
  return { isRight: known !== undefined && timingSafeEqual(derived, hash), isOutdated }
}

/** Verified for an unknown account, so that it takes the same time. */
const dummyHash: StoredHash = {
  hash: Buffer.alloc(keyBytes),
  isOutdated: false,
  derive: (password) => derive(password, Buffer.alloc(saltBytes), current),
}

const phc = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{43})$/

function parseScrypt(text: string): StoredHash | undefined {
  const [, ln, r, p, salt, hash] = phc.exec(text) ?? []
  if (salt === undefined || hash === undefined) return undefined
  const parameters = { ln: Number(ln), r: Number(r), p: Number(p) }
  return {
    hash: Buffer.from(hash, 'base64'),
    isOutdated: parameters.ln !== current.ln || parameters.r !== current.r || parameters.p !== current.p,
    derive: (password) => derive(password, Buffer.from(salt, 'base64'), parameters),
  }
}

function parseDjango(text: string): StoredHash | undefined {
  const parsed = parseDjangoHash(text)
  return parsed && { hash: parsed.hash, isOutdated: true, derive: (password) => deriveDjangoHash(password, parsed) }
}

/** PHC strings use standard base64 without padding. */
function toBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}

function derive(password: string, salt: Buffer, { ln, r, p }: Parameters): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, keyBytes, { N: 2 ** ln, r, p, maxmem: maxMemoryBytes }, (error, hash) => {
      if (error) reject(error)
      else resolve(hash)
    })
  })
}
