// Helpers of the account tests: log in again and inspect a session.
import { decodeJwt } from 'jose'
import type { SessionCaller } from '../../src/http/context.ts'
import { type Answer, type Person, poll, type RequestOptions, type World } from '../harness.ts'

export type SignedIn = {
  access: string
  refresh: string
  sessionId: string
  request(method: string, path: string, options?: Omit<RequestOptions, 'token'>): Promise<Answer>
}

export function sessionIdOf(token: string): string {
  return String(decodeJwt(token).sid)
}

/** This person as the SQL statements know the caller, with the first session. */
export async function sessionCallerOf({ postgres }: World, { id }: Pick<Person, 'id'>): Promise<SessionCaller> {
  const [session] = await postgres.query('SELECT id FROM sessions WHERE account_id = $1', [id])
  return { kind: 'session', accountId: id, sessionId: String(session?.id) }
}

/** Starts one more session of the same account. */
export async function signIn(
  world: World,
  { username, password }: Pick<Person, 'username' | 'password'>,
  headers: Record<string, string> = {},
): Promise<SignedIn> {
  const answer = await world.request('POST', '/api/log-in', { body: { username, password }, headers })
  if (answer.status !== 200) throw new Error(`POST /api/log-in answered ${answer.status}: ${answer.text}`)
  const { access, refresh } = answer.body.token
  return {
    access,
    refresh,
    sessionId: sessionIdOf(access),
    request: (method, path, options) => world.request(method, path, { ...options, token: access }),
  }
}

export type TestKey = {
  id: string
  secret: string
  body: Answer['body']
  request(method: string, path: string, options?: Omit<RequestOptions, 'token'>): Promise<Answer>
}

/** A key of this person, with all scopes but `report` unless others are given. @throws Error when it is refused */
export async function makeKey(
  world: World,
  { request }: Pick<Person, 'request'>,
  overrides: Record<string, unknown> = {},
): Promise<TestKey> {
  const body = { name: 'A program', scopes: ['read', 'start', 'stop', 'manage'], ...overrides }
  const answer = await request('POST', '/api/keys', { body })
  if (answer.status !== 201) throw new Error(`POST /api/keys answered ${answer.status}: ${answer.text}`)
  const { key, secret } = answer.body
  return {
    id: key.id,
    secret,
    body: key,
    request: (method, path, options) => world.request(method, path, { ...options, token: secret }),
  }
}

/** An ended job whose status Redis alone answers for this session, because it has been read before. */
export async function watchedJob(
  world: World,
  owner: Person,
  watcher: Pick<SignedIn, 'request'> = owner,
): Promise<string> {
  const machine = await world.createMachine(owner)
  const { body: job } = await world.operate(owner, machine.id, 'START')
  await world.waitForJob(owner, job.id, 'SUCCEEDED')
  await poll(async () => {
    const before = world.exchanges.length
    await watcher.request('GET', `/api/jobs/${job.id}`)
    const services = world.exchanges.slice(before).map(({ service }) => service)
    return { isDone: !services.includes('postgres'), value: services }
  }, 'Redis to answer the status')
  return job.id
}

export function markOf(world: World, sessionId: string): Promise<unknown> {
  return world.redis.command('GET', `session:${sessionId}`)
}

/**
 * Counters use a sliding window over two fixed windows. At the change of window the count drops a little, which would
 * disturb a test that counts exactly. This waits until no change is near.
 */
export async function stayClearOfTurn(windowSeconds: number, clearSeconds: number): Promise<void> {
  const left = () => windowSeconds - ((Date.now() / 1_000) % windowSeconds)
  await poll(async () => ({ isDone: left() > clearSeconds, value: left() }), 'the turn of the window to pass')
}

/** The account as other endpoints show it: `GET /api/me` also has the holds that were overridden. */
export async function readUser({ request }: Pick<Person, 'request'>): Promise<Answer['body']> {
  const { overridden_holds: _, ...user } = (await request('GET', '/api/me')).body
  return user
}
