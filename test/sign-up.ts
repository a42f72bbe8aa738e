// People for tests. A password hash takes a core a fifth of a second, so most people are rows with the same hash, and with
// their own names, session and tokens.
import { randomUUID } from 'node:crypto'
import { foldName } from '../src/accounts/account.ts'
import { hashPassword } from '../src/accounts/password.ts'
import { createTokenIssuer } from '../src/accounts/token.ts'
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

/** Creates a person like a sign-up. */
export async function createPerson(
  { send, postgres, keys, origin }: { send: Send; postgres: PostgresStandIn; keys: SigningKey[]; origin: string },
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
      VALUES ($2, $3, $4, $5, $6, $7, $1, now())
      RETURNING id
    ), session AS (
      INSERT INTO sessions (id, account_id, refresh_id, user_agent, address, expires_at)
      SELECT $8, id, $9, 'node', '127.0.0.1', now() + interval '24 hours' FROM account
    )
    SELECT id FROM account`,
    [hash, username, foldName(username), email, foldName(email), first_name, last_name, sessionId, refreshId],
  )
  const id = Number(row?.id)
  const tokens = await createTokenIssuer(keys, origin).issuePair({ accountId: id, sessionId, refreshId })
  return toPerson(send, { ...details, id, access: tokens.access, refresh: tokens.refresh })
}
