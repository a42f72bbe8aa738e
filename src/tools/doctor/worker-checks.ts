// The doctor's look from outside: the deployed Worker at its public URL, and whether it is what the variables say.
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { Environment } from '../../env.ts'
import { type DatabaseAddress, runStatements } from '../statements.ts'
import { ask, parse, readJson } from './ask.ts'

/** The most that two clocks may differ: QStash's signatures are good from the second they are made, give or take ten. */
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

export async function checkReady(origin: string): Promise<string> {
  const { upstreams } = readiness.parse(await readJson(await ask(`${origin}/api/health/ready`), origin))
  const away = Object.entries(upstreams).filter(([, { status }]) => status !== 'ok')
  const all = Object.entries(upstreams).map(([name, { latency_ms }]) => `${name} ${latency_ms} ms`)
  if (away.length === 0) return `reached from the Worker: ${all.join(', ')}`
  const names = away.map(([name]) => name).join(', ')
  throw new Error(`The Worker does not reach ${names}, though its secrets may differ from those here: put them again.`)
}
const readiness = z.object({
  upstreams: z.record(z.string(), z.object({ status: z.string(), latency_ms: z.number() })),
})

/** The document names the address that the Worker believes to have: callbacks will bear it as their `sub`. */
export async function checkPublicUrl(origin: string, environment: Environment): Promise<string> {
  const { servers } = openApi.parse(await readJson(await ask(`${origin}/api/openapi.json`), origin))
  const believed = servers[0]?.url
  if (believed === origin && believed === environment.PUBLIC_URL) return `is ${believed}, also for the Worker`
  throw new Error(
    `The Worker calls itself ${believed}, here PUBLIC_URL is ${environment.PUBLIC_URL}, and it answers at ${origin}: signatures are for one URL. Make the three equal, and deploy.`,
  )
}
const openApi = z.object({ servers: z.array(z.object({ url: z.string() })) })

export async function checkKeys(origin: string, environment: Environment): Promise<string> {
  const published = jwks.parse(await readJson(await ask(`${origin}/.well-known/jwks.json`), origin))
  const described = (keys: { kid: string; x: string }[]) => keys.map(({ kid, x }) => `${kid} ${x}`).join()
  if (described(published.keys) === described(environment.JWT_KEYS)) return 'are those that the Worker publishes'
  throw new Error('The Worker publishes other keys than JWT_KEYS here: put the secret again, or take the deployed one.')
}
const jwks = z.object({ keys: z.array(z.object({ kid: z.string(), x: z.string() })) })

/** A callback as QStash would sign it, about a job that there is not: whoever accepts it has our key and our URL. */
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
  if (response.status === 200 && isOurs) return 'signed with our key are accepted'
  throw new Error(
    `A callback signed with QSTASH_CURRENT_SIGNING_KEY is answered ${response.status}: the Worker has other keys or another PUBLIC_URL. Put them again.`,
  )
}

export async function checkClocks(origin: string, address: DatabaseAddress): Promise<string> {
  const response = await ask(`${origin}/api/health`)
  const workerSkew = Math.abs(Date.parse(response.headers.get('Date') ?? '') - Date.now()) / 1_000
  const askedAt = Date.now()
  const [rows] = await runStatements(address, [{ query: 'SELECT extract(epoch FROM now())::float8 AS now' }])
  const databaseSkew = Math.abs(Number(rows?.[0]?.now) - askedAt / 1_000)
  // A Worker behind no proxy says no Date; its clock is then the machine's.
  const skews = { Worker: Number.isNaN(workerSkew) ? 0 : workerSkew, PostgreSQL: databaseSkew }
  const wrong = Object.entries(skews).filter(([, seconds]) => seconds > greatestSkewSeconds)
  if (wrong.length === 0) return `agree within ${greatestSkewSeconds} s`
  const told = wrong.map(([name, seconds]) => `${name} by ${seconds.toFixed(0)} s`).join(', ')
  throw new Error(
    `The clock of this machine differs from ${told}. Which one is wrong? Tokens and deadlines hang on it.`,
  )
}

export function checkControllers(origin: string, environment: Environment): string {
  const isLocal = ['localhost', '127.0.0.1'].includes(new URL(origin).hostname)
  if (!environment.ALLOW_PRIVATE_CONTROLLERS) return 'may be on the open internet only'
  if (isLocal) return 'may be on this machine, as may the API'
  throw new Error(
    'ALLOW_PRIVATE_CONTROLLERS is on: whoever has an account can send commands into your network. Take it off.',
  )
}

/** An old idempotency key is left for the sweep, which drops such: when it is gone, the cron has come by. */
export async function checkCron(address: DatabaseAddress, withinSeconds: number): Promise<string> {
  const key = randomUUID()
  const params = [key]
  await runStatements(address, [
    {
      query: `INSERT INTO idempotency_keys (account_id, method, path, key, fingerprint, outcome, created_at)
        VALUES (0, 'DOCTOR', '/', $1, '', '{}', now() - interval '25 hours')`,
      params,
    },
  ])
  const beganAt = performance.now()
  const elapsed = () => (performance.now() - beganAt) / 1_000
  while (elapsed() < withinSeconds) {
    const [rows] = await runStatements(address, [{ query: 'SELECT FROM idempotency_keys WHERE key = $1', params }])
    if (rows?.length === 0) return `came by after ${elapsed().toFixed(0)} s`
    await delay(Math.min(1_000, withinSeconds * 20))
  }
  await runStatements(address, [{ query: 'DELETE FROM idempotency_keys WHERE key = $1', params }])
  throw new Error(
    `The sweep did not come by within ${withinSeconds} s: jobs that QStash loses stay open. Are [triggers] crons deployed, and is the Worker's log clean?`,
  )
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
