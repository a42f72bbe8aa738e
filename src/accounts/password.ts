// Passwords as scrypt in PHC form (https://github.com/P-H-C/phc-string-format), one hash at a time per isolate.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { TiebarError } from '../kernel/error.ts'
import { deriveDjangoHash, parseDjangoHash } from './django-password.ts'

/** OWASP's first choice for scrypt after ln=17: 32 MiB a hash fits a Worker's 128 MiB. */
const current = { ln: 15, r: 8, p: 3 }
const keyLength = 32
const saltLength = 16
const maxmem = 64 * 1024 * 1024

type Parameters = { ln: number; r: number; p: number }
type StoredHash = {
  hash: Buffer
  /** To be made anew with today's parameters, at the first chance. */
  isOutdated: boolean
  derive(password: string): Promise<Uint8Array>
}

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltLength)
  const hash = await inTurn(() => derive(password, salt, current))
  return `$scrypt$ln=${current.ln},r=${current.r},p=${current.p}$${toBase64(salt)}$${toBase64(hash)}`
}

/**
 * Takes as long for an unknown account (`stored` undefined) as for a wrong password; only the passwords of the old
 * system, each until it was right once, take longer.
 * @returns whether the password is right, and whether its hash should be made anew with today's parameters
 */
export async function verifyPassword(
  password: string,
  stored: string | undefined,
): Promise<{ isRight: boolean; isOutdated: boolean }> {
  const known = stored === undefined ? undefined : (parseScrypt(stored) ?? parseOld(stored))
  const { hash, isOutdated, derive } = known ?? nobody
  const derived = await inTurn(() => derive(password))
  return { isRight: known !== undefined && timingSafeEqual(derived, hash), isOutdated }
}

const nobody: StoredHash = {
  hash: Buffer.alloc(keyLength),
  isOutdated: false,
  derive: (password) => derive(password, Buffer.alloc(saltLength), current),
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

function parseOld(text: string): StoredHash | undefined {
  const parsed = parseDjangoHash(text)
  return parsed && { hash: parsed.hash, isOutdated: true, derive: (password) => deriveDjangoHash(password, parsed) }
}

/** PHC strings carry standard base64 without padding. */
function toBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}

function derive(password: string, salt: Buffer, { ln, r, p }: Parameters): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, keyLength, { N: 2 ** ln, r, p, maxmem }, (error, hash) => {
      if (error) reject(error)
      else resolve(hash)
    })
  })
}

const longestQueue = 8
const pollMs = 10
/** Between two hashes the isolate belongs to everybody else: enough for what waits for an upstream. */
const restMs = 40
/** A request that was cancelled while it queued never comes back for its ticket; others stop counting it. */
const ticketSeconds = 2

type Ticket = { seenAt: number }
let queue: Ticket[] = []

/**
 * Lets one hash run at a time. Each request polls in its own I/O context: the runtime forbids that one request is woken
 * by another, and one that dies must not hold up the rest.
 * @throws TiebarError `rate_limited` when eight are waiting already
 */
async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const ticket: Ticket = { seenAt: Date.now() }
  dropDeadTickets()
  if (queue.length > longestQueue) {
    throw new TiebarError('rate_limited', 'Too many people are signing in right now. Try again in a moment.', {
      retryAfterSeconds: 2,
    })
  }
  queue.push(ticket)
  try {
    const hasToWait = queue[0] !== ticket
    // At least once: in workerd a hash holds the whole isolate up, and who came meanwhile must get in line first, or the
    // line would never be seen to be too long.
    do await keepPlace(ticket, pollMs)
    while (queue[0] !== ticket)
    // Without it the next hash would begin before anybody else was heard, and a flood of guesses would starve them.
    if (hasToWait) await keepPlace(ticket, restMs)
    return await work()
  } finally {
    queue = queue.filter((other) => other !== ticket)
  }
}

async function keepPlace(ticket: Ticket, forMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, forMs))
  ticket.seenAt = Date.now()
  dropDeadTickets()
  if (!queue.includes(ticket)) queue.push(ticket) // taken for dead while the isolate was busy hashing
}

function dropDeadTickets(): void {
  const oldest = Date.now() - ticketSeconds * 1000
  queue = queue.filter((ticket) => ticket.seenAt >= oldest)
}
