// A world for tests: its own stand-ins, the real Worker on workerd, and people who sign up and send requests.
// With LOCAL_POSTGRES_URL and LOCAL_REDIS_URL the stand-ins use real servers.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { TokenPair } from '../src/accounts/token.ts'
import type { SigningKey } from '../src/env.ts'
import { toRfc3339 } from '../src/kernel/time.ts'
import { assertMatchesOpenApi } from './contract/openapi-assertion.ts'
import { startMigrated } from './migrated.ts'
import { type ControllerStandIn, startController } from './platform/controller.ts'
import { type CallFaults, type CallInterceptor, open } from './platform/faults.ts'
import type { Exchange, StandInRequest } from './platform/http.ts'
import { setOddSettings } from './platform/odd-settings.ts'
import type { PostgresStandIn } from './platform/postgres.ts'
import type { DeliveryFaults } from './platform/qstash/delivery-loop.ts'
import { type QStashStandIn, startQStash } from './platform/qstash.ts'
import { type RedisStandIn, startRedis } from './platform/redis.ts'
import { createPerson, createSession, type Names, signUpOverHttp } from './sign-up.ts'
import { type RunningWorker, startWorker, type WorkerOptions } from './worker.ts'

export const hasRealPostgres = process.env.LOCAL_POSTGRES_URL !== undefined

/** An answer whose body is parsed if it is JSON; `undefined` if it is empty. */
// biome-ignore lint/suspicious/noExplicitAny: tests read bodies of every shape and assert their values
export type Answer<Body = any> = { status: number; headers: Headers; body: Body; text: string }

export type RequestOptions = {
  token?: string | undefined
  /** Sent as JSON, unless it is a string or bytes. */
  body?: unknown
  headers?: Record<string, string>
}

export type Person = {
  id: number
  username: string
  password: string
  email: string
  access: string
  refresh: string
  request(method: string, path: string, options?: Omit<RequestOptions, 'token'>): Promise<Answer>
}

export type World = {
  url: string
  postgres: PostgresStandIn
  redis: RedisStandIn
  qstash: QStashStandIn
  controller: ControllerStandIn
  /** The private key of the tokens: the only one in JWT_KEYS, unless a test sets it. */
  signingKey: SigningKey
  worker: Pick<RunningWorker, 'kill' | 'start' | 'freeze' | 'readMemory' | 'readResidentMiB'>
  /** Every call of the Worker to an upstream, in the order of the answers. */
  exchanges: Exchange[]
  /** The requests of the Worker to an upstream, in the same order. */
  requestsTo(service: Upstream): StandInRequest[]
  /** The interceptors of the Worker's calls and of QStash's deliveries. */
  faults: WorldFaults
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>
  /** A new person with a session, as after a sign-up. Use `signUpOverHttp` to test the sign-up itself. */
  signUp(overrides?: Names): Promise<Person>
  /** One more session of this person, as after a log-in. */
  openSession(person: Pick<Person, 'id'>): Promise<TokenPair>
  /** A new person who signs up at the Worker. */
  signUpOverHttp(overrides?: Record<string, unknown>): Promise<Person>
  /** A new person with staff rights. */
  signUpStaff(): Promise<Person>
  /** A machine of this person, with its own machine at the stand-in of the controller, which has confirmed it. */
  createMachine(owner: Person, overrides?: Record<string, unknown>): Promise<TestMachine>
  /** The same, but its controller has not been asked yet. */
  createUnconfirmedMachine(owner: Person, overrides?: Record<string, unknown>): Promise<TestMachine>
  operate(person: Person, machineId: number, command: 'START' | 'STOP', expiresIn?: number): Promise<Answer>
  /** Polls the job until it is in one of these states. @throws Error on timeout */
  waitForJob(person: Person, jobId: string, ...states: string[]): Promise<Answer['body']>
  /** Runs the cron once. */
  sweep(): Promise<void>
  /** Waits for the work of the Worker after its answers, which shows as calls. */
  settle(): Promise<void>
  /** The Worker's log lines, parsed. */
  logs(): Record<string, unknown>[]
  /** Restarts the Worker with other variables. */
  reconfigure(vars: Variables): Promise<void>
  /**
   * Ends all faults and deliveries, clears the recorded calls, and gives the Worker these variables. Rows and keys stay,
   * because each test has its own accounts and machines.
   */
  reset(vars: Variables): Promise<void>
  close(): Promise<void>
}

export type Upstream = 'postgres' | 'redis' | 'qstash' | 'controller'
export type WorldFaults = Record<Upstream, CallFaults> & { deliveries: DeliveryFaults }

export type TestMachine = { id: number; body: Answer['body']; etag: string } & ReturnType<ControllerStandIn['machine']>

/** Variables that replace those of the standard world; undefined removes a variable. */
export type Variables = Record<string, string | undefined>

export type WorldOptions = WorkerOptions & {
  vars?: Variables
  /** Whether the database has session defaults that no statement may depend on. */
  hasOddSettings?: boolean
  /** Latency added to every upstream call, to count round trips. */
  latencyMs?: number
}

/** A private Ed25519 JWK as in JWT_KEYS. */
export function makeSigningKey(kid: string): SigningKey {
  return { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid } as SigningKey // a private Ed25519 JWK
}

type Services = {
  postgres: PostgresStandIn
  redis: RedisStandIn
  qstash: Pick<QStashStandIn, 'url' | 'token' | 'currentSigningKey' | 'nextSigningKey'>
}

/** The variables with which the Worker uses these services. */
export function serviceVariables({ postgres, redis, qstash }: Services) {
  return {
    DATABASE_URL: postgres.databaseUrl,
    NEON_FETCH_ENDPOINT: postgres.fetchEndpoint,
    UPSTASH_REDIS_REST_URL: redis.url,
    UPSTASH_REDIS_REST_TOKEN: redis.token,
    QSTASH_URL: qstash.url,
    QSTASH_TOKEN: qstash.token,
    QSTASH_CURRENT_SIGNING_KEY: qstash.currentSigningKey,
    QSTASH_NEXT_SIGNING_KEY: qstash.nextSigningKey,
  }
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const exchanges: Exchange[] = []
  const { latencyMs = 0 } = options
  const newFaults = () => ({ pass: open })
  const faults: WorldFaults = {
    postgres: newFaults(),
    redis: newFaults(),
    qstash: newFaults(),
    controller: newFaults(),
    deliveries: newFaults(),
  }
  let callsInProgress = 0
  const settle = async () => {
    await poll(async () => ({ isDone: callsInProgress === 0, value: callsInProgress }), 'calls to end')
  }
  const standIn = (service: Upstream) => ({
    latencyMs,
    onExchange: (exchange: Exchange) => exchanges.push(exchange),
    faults: {
      async pass(...call: Parameters<CallInterceptor>) {
        callsInProgress += 1
        return faults[service].pass(...call).finally(() => {
          callsInProgress -= 1
        })
      },
    },
  })
  const { LOCAL_REDIS_URL } = process.env
  const [postgres, redis, qstash, controller] = await Promise.all([
    startMigrated(standIn('postgres')),
    startRedis({ ...standIn('redis'), ...(LOCAL_REDIS_URL && { serverUrl: LOCAL_REDIS_URL }) }),
    startQStash({ ...standIn('qstash'), deliveryFaults: faults.deliveries }),
    startController(standIn('controller')),
  ])
  // On a real server always, so that `npm run test:services` runs everything with them.
  if (options.hasOddSettings || hasRealPostgres) await setOddSettings(postgres)
  exchanges.length = 0
  const signingKey = makeSigningKey('test-1')
  const vars: Variables = {
    ...serviceVariables({ postgres, redis, qstash }),
    JWT_KEYS: JSON.stringify([signingKey]),
    ALLOW_PRIVATE_CONTROLLERS: 'true',
    // All tests share one client address.
    SIGN_UPS_PER_ADDRESS: '100000',
    FAILED_LOG_INS_PER_ADDRESS: '100000',
    ...options.vars,
  }
  const worker = await startWorker((origin) => named({ PUBLIC_URL: origin, ...vars }), options)
  const { origin } = worker

  const request = async (method: string, path: string, requestOptions: RequestOptions = {}) => {
    const url = new URL(path, origin)
    const answer = await send(url, method, requestOptions)
    assertMatchesOpenApi(method, url.pathname, answer)
    return answer
  }
  let reconfigured: Variables = {}
  const reconfigure = async (overrides: Variables) => {
    await worker.restart(named({ PUBLIC_URL: origin, ...vars, ...overrides }))
    reconfigured = overrides
  }
  const readKeys = (): SigningKey[] => JSON.parse({ ...vars, ...reconfigured }.JWT_KEYS ?? '[]')
  const signUp: World['signUp'] = (overrides) =>
    createPerson({ send: request, postgres, keys: readKeys(), origin }, overrides)
  const createUnconfirmedMachine: World['createMachine'] = async (owner, overrides = {}) => {
    const machine = controller.machine(`m-${randomUUID()}`)
    const body = { name: 'Machine', location: 'Hall 1', controller_url: machine.url, ...overrides }
    const answer = await owner.request('POST', '/api/machines', { body })
    if (answer.status !== 201) throw new Error(`POST /api/machines answered ${answer.status}: ${answer.text}`)
    machine.pin(answer.body.id)
    return { ...machine, id: answer.body.id, body: answer.body, etag: answer.headers.get('ETag') ?? '' }
  }
  return {
    url: origin,
    postgres,
    redis,
    qstash,
    controller,
    signingKey,
    worker,
    exchanges,
    requestsTo: (service) => exchanges.filter((each) => each.service === service).map((each) => each.request),
    faults,
    request,
    signUp,
    openSession: ({ id }) => createSession({ postgres, keys: readKeys(), origin }, id),
    signUpOverHttp: (overrides) => signUpOverHttp(request, overrides),
    async signUpStaff() {
      const person = await signUp()
      await postgres.query('UPDATE accounts SET is_staff = true WHERE id = $1', [person.id])
      return person
    },
    createUnconfirmedMachine,
    async createMachine(owner, overrides) {
      const machine = await createUnconfirmedMachine(owner, overrides)
      const confirm = `UPDATE machines SET controller_confirmed_at = now(), confirmed_address = controller_url
        WHERE id = $1 AND controller_url IS NOT NULL AND NOT EXISTS (
          SELECT FROM machines other WHERE other.confirmed_address = machines.controller_url AND other.deleted_at IS NULL)
        RETURNING controller_confirmed_at::text AS at`
      const [confirmed] = await postgres.query(confirm, [machine.id])
      const controller_confirmed_at = confirmed ? toRfc3339(String(confirmed.at)) : null
      return { ...machine, body: { ...machine.body, controller_confirmed_at } }
    },
    operate: (person, machineId, command, expiresIn) =>
      person.request('POST', `/api/machines/${machineId}/operation`, {
        body: { command, ...(expiresIn !== undefined && { expires_in: expiresIn }) },
      }),
    waitForJob: (person, jobId, ...states) =>
      poll(
        async () => {
          const { body } = await person.request('GET', `/api/jobs/${jobId}`)
          return { isDone: states.includes(body.state), value: body }
        },
        `job ${jobId} to be ${states.join(' or ')}`,
      ),
    sweep: () => worker.scheduled(),
    settle,
    logs: () => readLogs(worker.lines()),
    reconfigure,
    async reset(overrides) {
      for (const each of Object.values(faults)) each.pass = open
      await qstash.clear()
      await settle()
      if (!isDeepStrictEqual(reconfigured, overrides)) await reconfigure(overrides)
      exchanges.length = 0
      worker.lines().length = 0
    },
    async close() {
      await worker.close()
      await Promise.all([qstash.close(), controller.close()])
      await Promise.all([postgres.close(), redis.close()])
    },
  }
}

async function send(url: URL, method: string, { token, body, headers }: RequestOptions): Promise<Answer> {
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: (isRaw ? body : JSON.stringify(body)) as BodyInit }), // a body for fetch
  })
  const text = await readText(response)
  const isJson = /json/.test(response.headers.get('Content-Type') ?? '') && text !== ''
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : text || undefined,
  }
}

/** A stream of events does not end: of it, the first part. */
async function readText(response: Response): Promise<string> {
  if (response.headers.get('Content-Type') !== 'text/event-stream' || !response.body) return response.text()
  const reader = response.body.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return new TextDecoder().decode(value)
}

/** A long timeout, because a busy computer is slow. */
const longestWaitMs = 120_000

/** Calls `look` until it is done. @throws Error on timeout */
export async function poll<Value>(
  look: () => Promise<{ isDone: boolean; value: Value }>,
  what: string,
): Promise<Value> {
  const givenUpAt = performance.now() + longestWaitMs
  for (;;) {
    const { isDone, value } = await look()
    if (isDone) return value
    if (performance.now() > givenUpAt) throw new Error(`waited in vain for ${what}: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Removes the variables without a value. */
function named(vars: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(vars).filter((entry): entry is [string, string] => !!entry[1]))
}

function readLogs(lines: string[]): Record<string, unknown>[] {
  return lines.flatMap((message) => {
    try {
      return [JSON.parse(message) as Record<string, unknown>] // our own lines are JSON objects
    } catch {
      return []
    }
  })
}
