// What the doctor looks at: an environment from inside, by its variables, and from outside, by its public URL. Each check
// says what holds, or what is wrong and what to do.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Environment, readEnvironment } from '../../env.ts'
import { readMigrationState } from '../migrations.ts'
import { type DatabaseAddress, runStatements } from '../statements.ts'
import { ask, readJson } from './ask.ts'
import {
  checkAnswers,
  checkCallback,
  checkClocks,
  checkControllers,
  checkCron,
  checkKeys,
  checkPublicUrl,
  checkReady,
} from './worker-checks.ts'

export type Finding = { title: string; isGood: boolean; text: string }

export type DoctorInput = {
  /** The variables and secrets of the environment, by name. */
  variables: Record<string, string | undefined>
  /** Where it answers; PUBLIC_URL unless told. */
  url?: string | undefined
  /** How long the cron may take to come by. */
  cronSeconds: number
}

/** What holds; whatever is wrong is thrown as an Error that says what to do. */
type Check = { title: string; run: () => Promise<string> }

/** Looks at everything, one after the other, so that a check may wait; `tell` hears each as soon as it is known. */
export async function runChecks(patient: DoctorInput, tell: (finding: Finding) => void = () => {}): Promise<Finding[]> {
  const findings: Finding[] = []
  const add = (finding: Finding) => {
    findings.push(finding)
    tell(finding)
  }
  const { environment, faults } = read(patient.variables)
  for (const { name, fault } of faults) add({ title: name, isGood: false, text: `${fault}. ${whereToSet(name)}` })
  if (!environment) return findings
  add({ title: 'variables', isGood: true, text: 'all are there and well formed' })
  for (const { title, run } of checksOf(environment, patient)) {
    try {
      add({ title, isGood: true, text: await run() })
    } catch (error) {
      add({ title, isGood: false, text: error instanceof Error ? error.message : String(error) })
    }
  }
  return findings
}

/** The bindings of the runtime are wrangler.toml's matter: here they count as given. */
function read(variables: DoctorInput['variables']) {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = readEnvironment({ ...given, ACCOUNT_RATE_LIMIT: { limit: async () => ({ success: true }) } })
  return Array.isArray(parsed) ? { faults: parsed } : { environment: parsed, faults: [] }
}

function whereToSet(name: string): string {
  const isVar = ['PUBLIC_URL', 'ALLOWED_ORIGINS'].includes(name)
  return isVar
    ? 'Set it in wrangler.toml, under [env.….vars].'
    : 'Set it with wrangler secret put, and in the file given here.'
}

function checksOf(environment: Environment, { url, cronSeconds }: DoctorInput): Check[] {
  const address: DatabaseAddress = {
    database_url: environment.DATABASE_URL,
    ...(environment.NEON_FETCH_ENDPOINT && { fetch_endpoint: environment.NEON_FETCH_ENDPOINT }),
  }
  const origin = url ?? environment.PUBLIC_URL
  return [
    { title: 'PostgreSQL', run: () => checkPostgres(address) },
    { title: 'migrations', run: () => checkMigrations(address) },
    { title: 'Redis', run: () => checkRedis(environment) },
    { title: 'QStash token', run: () => checkQStash(environment) },
    { title: 'QStash signing keys', run: () => checkSigningKeys(environment) },
    { title: 'public URL', run: () => checkAnswers(origin) },
    { title: 'its upstreams', run: () => checkReady(origin) },
    { title: 'PUBLIC_URL', run: () => checkPublicUrl(origin, environment) },
    { title: 'JWT_KEYS', run: () => checkKeys(origin, environment) },
    { title: 'callbacks', run: () => checkCallback(origin, environment) },
    { title: 'clocks', run: () => checkClocks(origin, address) },
    { title: 'controllers', run: async () => checkControllers(origin, environment) },
    { title: 'cron', run: () => checkCron(address, cronSeconds) },
  ]
}

async function checkPostgres(address: DatabaseAddress): Promise<string> {
  const beganAt = performance.now()
  await runStatements(address, [{ query: 'SELECT 1' }])
  return `answers in ${Math.round(performance.now() - beganAt)} ms`
}

async function checkMigrations(address: DatabaseAddress): Promise<string> {
  const { applied, pending } = await readMigrationState(address)
  if (pending.length === 0) return `at ${applied.at(-1)}`
  throw new Error(`${pending.map(({ name }) => name).join(', ')} is not applied. Run npm run db:migrate.`)
}

async function checkRedis(environment: Environment): Promise<string> {
  const key = `doctor:${randomUUID()}`
  const command = async (...words: string[]) => {
    const response = await ask(environment.UPSTASH_REDIS_REST_URL, {
      method: 'POST',
      headers: { Authorization: `Bearer ${environment.UPSTASH_REDIS_REST_TOKEN}` },
      body: JSON.stringify(words),
    })
    const { result, error } = redisAnswer.parse(await readJson(response, 'Redis'))
    if (error === undefined) return result
    throw new Error(`Redis says: ${error}. Copy URL and token (not the read-only one) from the console's REST API.`)
  }
  await command('SET', key, 'x', 'EX', '10')
  if ((await command('GET', key)) !== 'x') throw new Error('What was written to Redis was not there when it was read.')
  await command('DEL', key)
  return 'can be read and written'
}
const redisAnswer = z.object({ result: z.unknown(), error: z.string().optional() })

async function readQStashKeys(environment: Environment) {
  const headers = { Authorization: `Bearer ${environment.QSTASH_TOKEN}` }
  const response = await ask(`${environment.QSTASH_URL.replace(/\/$/, '')}/v2/keys`, { headers })
  if (response.status === 401)
    throw new Error('QStash does not know QSTASH_TOKEN. Copy it from the console of its region.')
  if (!response.ok) throw new Error(`QStash answers ${response.status}. Is QSTASH_URL that of the token's region?`)
  return signingKeys.parse(await readJson(response, 'QStash'))
}
const signingKeys = z.object({ current: z.string(), next: z.string() })

async function checkQStash(environment: Environment): Promise<string> {
  await readQStashKeys(environment)
  return 'is good'
}

async function checkSigningKeys(environment: Environment): Promise<string> {
  const { current, next } = await readQStashKeys(environment)
  const isCurrent = current === environment.QSTASH_CURRENT_SIGNING_KEY
  const isNext = next === environment.QSTASH_NEXT_SIGNING_KEY
  if (isCurrent && isNext) return 'are QStash’s own'
  // In the middle of a roll QStash signs with what we still call the next one.
  if (current === environment.QSTASH_NEXT_SIGNING_KEY) {
    throw new Error('The keys were rolled once: callbacks still pass, by the next key alone. Set both keys anew.')
  }
  const wrong = [...(isCurrent ? [] : ['QSTASH_CURRENT_SIGNING_KEY']), ...(isNext ? [] : ['QSTASH_NEXT_SIGNING_KEY'])]
  throw new Error(`${wrong.join(' and ')} differ from QStash's: callbacks will be refused. Copy them from the console.`)
}
