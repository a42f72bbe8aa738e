// The doctor's checks of the Worker at its public URL: whether it answers, and whether it has the same variables.
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { Environment } from '../../env.ts'
import { type DatabaseAddress, runStatements } from '../statements.ts'
import { ask, parse, readJson } from './ask.ts'

/** The most that two clocks may differ. The Worker accepts a signature up to 10 s before it is valid. */
const greatestSkewSeconds = 5

export async function checkAnswers(origin: string): Promise<string> {
  const response = await ask(`${origin}/api/health`)
  const text = await response.text()
  if (response.ok && text.includes('"status":"ok"')) return `${origin} answers`
  const problem = problemAnswer.safeParse(parse(text))
  throw new Error(
    `${origin}/api/health answers ${response.status}: ${problem.success ? problem.data.detail : 'it is not Tiebar. Is it deployed there?'}`,
  )
}
const problemAnswer = z.object({ detail: z.string() })

/** The Worker remembers its answer for 5 s. */
const untilForgottenMs = 5_500

/** Asks twice before it finds an error: the first call of a new Worker to Redis can take longer than its deadline of 300 ms. */
export async function checkReady(origin: string): Promise<string> {
  let upstreams = await readUpstreams(origin)
  if (findUnavailable(upstreams).length > 0) {
    await delay(untilForgottenMs)
    upstreams = await readUpstreams(origin)
  }
  const unavailable = findUnavailable(upstreams)
  const all = Object.entries(upstreams).map(([name, { latency_ms }]) => `${name} ${latency_ms} ms`)
  if (unavailable.length === 0) return `reached from the Worker: ${all.join(', ')}`
  throw new Error(
    `The Worker does not reach ${unavailable.join(', ')}. Its secrets may differ from those here: set them again.`,
  )
}
const readiness = z.object({
  upstreams: z.record(z.string(), z.object({ status: z.string(), latency_ms: z.number() })),
})
type UpstreamStates = z.infer<typeof readiness>['upstreams']

async function readUpstreams(origin: string): Promise<UpstreamStates> {
  return readiness.parse(await readJson(await ask(`${origin}/api/health/ready`), origin)).upstreams
}

function findUnavailable(upstreams: UpstreamStates): string[] {
  return Object.keys(upstreams).filter((name) => upstreams[name]?.status !== 'ok')
}

/** The OpenAPI document has the Worker's PUBLIC_URL, which must be the `sub` of every callback's signature. */
export async function checkPublicUrl(origin: string, environment: Environment): Promise<string> {
  const { servers } = openApi.parse(await readJson(await ask(`${origin}/api/openapi.json`), origin))
  const own = servers[0]?.url
  if (own === origin && own === environment.PUBLIC_URL) return `is ${own}, in the Worker too`
  throw new Error(
    `PUBLIC_URL is ${own} in the Worker and ${environment.PUBLIC_URL} here, and the Worker answers at ${origin}. A signature is valid for one URL. Make the three equal, and deploy.`,
  )
}
const openApi = z.object({ servers: z.array(z.object({ url: z.string() })) })

export async function checkKeys(origin: string, environment: Environment): Promise<string> {
  const published = jwks.parse(await readJson(await ask(`${origin}/.well-known/jwks.json`), origin))
  const described = (keys: { kid: string; x: string }[]) => keys.map(({ kid, x }) => `${kid} ${x}`).join()
  if (described(published.keys) === described(environment.JWT_KEYS)) return 'are those that the Worker publishes'
  throw new Error(
    'The Worker publishes other keys than JWT_KEYS here. Set the secret again, or use the deployed keys here.',
  )
}
const jwks = z.object({ keys: z.array(z.object({ kid: z.string(), x: z.string() })) })

/** A callback signed as QStash does, for a job that does not exist. A Worker with the same key and URL accepts it. */
export async function checkCallback(origin: string, environment: Environment): Promise<string> {
  const path = '/api/callbacks/jobs/deliver'
  const body = JSON.stringify({ job_id: '00000000-0000-7000-8000-000000000000' })
  const nowSeconds = Math.floor(Date.now() / 1_000)
  const claims = { iss: 'Upstash', sub: `${environment.PUBLIC_URL}${path}`, nbf: nowSeconds, exp: nowSeconds + 60 }
  const hash = createHash('sha256').update(body).digest('base64url')
  const signed = [
    { alg: 'HS256', typ: 'JWT' },
    { ...claims, body: hash },
  ]
    .map(encode)
    .join('.')
  const signature = createHmac('sha256', environment.QSTASH_CURRENT_SIGNING_KEY).update(signed).digest('base64url')
  const response = await ask(`${origin}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Upstash-Signature': `${signed}.${signature}` },
    body,
  })
  const isOurs = response.headers.has('X-Request-Id')
  if (response.status === 200 && isOurs) return 'signed with QSTASH_CURRENT_SIGNING_KEY are accepted'
  throw new Error(
    `A callback signed with QSTASH_CURRENT_SIGNING_KEY is answered ${response.status}. The Worker has other keys or another PUBLIC_URL: set them again.`,
  )
}

export async function checkClocks(origin: string, address: DatabaseAddress): Promise<string> {
  const response = await ask(`${origin}/api/health`)
  const workerSkew = Math.abs(Date.parse(response.headers.get('Date') ?? '') - Date.now()) / 1_000
  const askedAt = Date.now()
  const [rows] = await runStatements(address, [{ query: 'SELECT extract(epoch FROM now())::float8 AS now' }])
  const databaseSkew = Math.abs(Number(rows?.[0]?.now) - askedAt / 1_000)
  // A local Worker sends no Date; its clock is this machine's.
  const skews = { Worker: Number.isNaN(workerSkew) ? 0 : workerSkew, PostgreSQL: databaseSkew }
  const wrong = Object.entries(skews).filter(([, seconds]) => seconds > greatestSkewSeconds)
  if (wrong.length === 0) return `agree within ${greatestSkewSeconds} s`
  const told = wrong.map(([name, seconds]) => `${name} by ${seconds.toFixed(0)} s`).join(', ')
  throw new Error(
    `The clock of this machine differs from ${told}. Correct the one that is wrong: tokens and deadlines depend on it.`,
  )
}

export function checkControllers(origin: string, environment: Environment): string {
  const isLocal = ['localhost', '127.0.0.1'].includes(new URL(origin).hostname)
  if (!environment.ALLOW_PRIVATE_CONTROLLERS) return 'must have public names'
  if (isLocal) return 'may have private addresses, as the API is local'
  throw new Error(
    'ALLOW_PRIVATE_CONTROLLERS is true: every account can make the Worker send requests to private addresses. Remove it.',
  )
}

/** Writes an idempotency key so old that the sweep deletes it. When it is gone, the cron has run. */
export async function checkCron(address: DatabaseAddress, withinSeconds: number): Promise<string> {
  const key = randomUUID()
  const params = [key]
  await runStatements(address, [
    {
      query: `INSERT INTO idempotency_keys (caller, method, path, key, fingerprint, outcome, created_at)
        VALUES ('doctor', 'DOCTOR', '/', $1, '', '{}', now() - interval '25 hours')`,
      params,
    },
  ])
  const beganAt = performance.now()
  const elapsed = () => (performance.now() - beganAt) / 1_000
  while (elapsed() < withinSeconds) {
    const [rows] = await runStatements(address, [{ query: 'SELECT FROM idempotency_keys WHERE key = $1', params }])
    if (rows?.length === 0) return `ran after ${elapsed().toFixed(0)} s`
    await delay(Math.min(1_000, withinSeconds * 20))
  }
  await runStatements(address, [{ query: 'DELETE FROM idempotency_keys WHERE key = $1', params }])
  throw new Error(
    `The sweep did not run within ${withinSeconds} s: jobs that QStash loses stay open. Are the crons of [triggers] deployed, and does the Worker log errors?`,
  )
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
