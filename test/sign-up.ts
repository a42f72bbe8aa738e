// People for tests. A password hash takes a core a fifth of a second, so most people are rows with the same hash, and with
// their own names, session and tokens.
import { randomUUID } from 'node:crypto'
import { foldName } from '../src/accounts/account.ts'
import { hashPassword } from '../src/accounts/password.ts'
import { createTokenIssuer, type TokenPair } from '../src/accounts/token.ts'
import type { SigningKey } from '../src/env.ts'
import type { Answer, Person, RequestOptions } from './harness.ts'
import type { PostgresStandIn } from './platform/postgres.ts'

type Send = (method: string, path: string, options?: RequestOptions) => Promise<Answer>

/** The members that a test may choose. */
export type Names = { email?: string; first_name?: string; last_name?: string }

const password = 'four columns hold it'

function newDetails() {
  const username = `p-${randomUUID()}`
  return { username, password, email: `${username}@example.com` }
}

function toPerson(send: Send, person: Omit<Person, 'request'>): Person {
  const request: Person['request'] = (method, path, options) => send(method, path, { ...options, token: person.access })
  return { ...person, request }
}

/** @throws Error when the answer is not 201 */
export async function signUpOverHttp(send: Send, overrides: Record<string, unknown> = {}): Promise<Person> {
  const details = { ...newDetails(), ...overrides }
  const answer = await send('POST', '/api/sign-up', { body: details })
  if (answer.status !== 201) throw new Error(`POST /api/sign-up answered ${answer.status}: ${answer.text}`)
  const { user, token } = answer.body
  return toPerson(send, { ...details, id: user.id, access: token.access, refresh: token.refresh })
}

let hashing: Promise<string> | undefined

type Issuing = { postgres: PostgresStandIn; keys: SigningKey[]; origin: string }

/** `$1` is the id of the session, `$2` that of its refresh token. */
const insertSession = (accountId: string) => `
  INSERT INTO sessions (id, refresh_id, account_id, user_agent, address, expires_at)
  SELECT $1, $2, ${accountId}, 'node', '127.0.0.1', now() + interval '24 hours'`

/** One more session of an account, like a log-in. */
export async function createSession({ postgres, keys, origin }: Issuing, accountId: number): Promise<TokenPair> {
  const [sessionId, refreshId] = [randomUUID(), randomUUID()]
  await postgres.query(insertSession('$3::bigint'), [sessionId, refreshId, accountId])
  return createTokenIssuer(keys, origin).issuePair({ accountId, sessionId, refreshId })
}

/** Creates a person like a sign-up. */
export async function createPerson(
  { send, postgres, keys, origin }: Issuing & { send: Send },
  overrides: Names = {},
): Promise<Person> {
  const { first_name = '', last_name = '', ...details } = { ...newDetails(), ...overrides }
  const { username, email } = details
  hashing ??= hashPassword(password)
  const hash = await hashing
  const [sessionId, refreshId] = [randomUUID(), randomUUID()]
  const [row] = await postgres.query(
    `WITH account AS (
      INSERT INTO accounts (username, username_key, email, email_key, first_name, last_name, password_hash, last_login)
      VALUES ($4, $5, $6, $7, $8, $9, $3, now())
      RETURNING id
    ), session AS (${insertSession('id')} FROM account)
    SELECT id FROM account`,
    [sessionId, refreshId, hash, username, foldName(username), email, foldName(email), first_name, last_name],
  )
  const id = Number(row?.id)
  const tokens = await createTokenIssuer(keys, origin).issuePair({ accountId: id, sessionId, refreshId })
  return toPerson(send, { ...details, id, access: tokens.access, refresh: tokens.refresh })
}
