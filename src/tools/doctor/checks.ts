// The doctor's checks: the variables, the services that they name, and the Worker at its public URL.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Environment, readEnvironment, runtimeStandIns } from '../../env.ts'
import { readMigrationState } from '../migrations.ts'
import { findDifferences } from '../session-defaults.ts'
import { type DatabaseAddress, runStatements } from '../statements.ts'
import { hasFunctions } from '../stored/install.ts'
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
  /** Where the Worker answers; the default is PUBLIC_URL. */
  url?: string | undefined
  /** How many seconds to wait for the cron. */
  cronSeconds: number
}

/** `run` returns a sentence for a check that passes. Otherwise it throws an Error that says what is wrong and what to do. */
type Check = { title: string; run: () => Promise<string> }

/** Runs all checks, one after the other; `report` is called with each finding at once. */
export async function runChecks(input: DoctorInput, report: (finding: Finding) => void = () => {}): Promise<Finding[]> {
  const findings: Finding[] = []
  const add = (finding: Finding) => {
    findings.push(finding)
    report(finding)
  }
  const { environment, faults } = read(input.variables)
  for (const { name, fault } of faults) add({ title: name, isGood: false, text: `${fault}. ${whereToSet(name)}` })
  if (!environment) return findings
  add({ title: 'variables', isGood: true, text: 'are all set and valid' })
  for (const { title, run } of checksOf(environment, input)) {
    try {
      add({ title, isGood: true, text: await run() })
    } catch (error) {
      add({ title, isGood: false, text: error instanceof Error ? error.message : String(error) })
    }
  }
  return findings
}

/** The bindings of the runtime come from wrangler.toml. They are not checked here. */
function read(variables: DoctorInput['variables']) {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = readEnvironment({ ...given, ...runtimeStandIns })
  return Array.isArray(parsed) ? { faults: parsed } : { environment: parsed, faults: [] }
}

function whereToSet(name: string): string {
  const isVar = ['PUBLIC_URL', 'ALLOWED_ORIGINS'].includes(name)
  return isVar
    ? 'Set it in wrangler.toml, under [env.….vars].'
    : 'Set it with wrangler secret put, and in the file of --secrets.'
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
    { title: 'session settings', run: () => checkSettings(address) },
    { title: 'Redis', run: () => checkRedis(environment) },
    { title: 'QStash token', run: () => checkQStash(environment) },
    { title: 'QStash signing keys', run: () => checkSigningKeys(environment) },
    { title: 'public URL', run: () => checkAnswers(origin) },
    { title: 'readiness', run: () => checkReady(origin) },
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
  const { applied, pending, unbuilt } = await readMigrationState(address)
  const isCurrent = await hasFunctions(address)
  const open = [
    ...pending.map(({ name }) => `${name} is not applied`),
    ...unbuilt.map(({ name }) => `the index ${name} is not built`),
    ...(isCurrent ? [] : ['the functions are missing or of another version, which only makes it slower']),
  ]
  if (open.length === 0) return `at ${applied.at(-1)}`
  throw new Error(`${open.join(', ')}. Run npm run db:migrate.`)
}

async function checkSettings(address: DatabaseAddress): Promise<string> {
  const differences = await findDifferences(address)
  if (differences.length === 0) return 'are those that Tiebar relies on'
  const list = differences.map(({ name, value, expected }) => `${name} is ${value} and should be ${expected}`)
  throw new Error(
    `${list.join('; ')}. Run npm run db:migrate with the same DATABASE_URL: it sets them for its role. Connections that are open keep the old ones for some minutes.`,
  )
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
    throw new Error(
      `Redis says: ${error}. Copy URL and token (not the read-only token) from the REST API section of Upstash's console.`,
    )
  }
  await command('SET', key, 'x', 'EX', '10')
  if ((await command('GET', key)) !== 'x')
    throw new Error('A value that was written to Redis was not there when it was read.')
  await command('DEL', key)
  return 'can be read and written'
}
const redisAnswer = z.object({ result: z.unknown(), error: z.string().optional() })

async function readQStashKeys(environment: Environment) {
  const headers = { Authorization: `Bearer ${environment.QSTASH_TOKEN}` }
  const response = await ask(`${environment.QSTASH_URL.replace(/\/$/, '')}/v2/keys`, { headers })
  if (response.status === 401)
    throw new Error('QStash does not know QSTASH_TOKEN. Copy it from the console of the region of QSTASH_URL.')
  if (!response.ok) throw new Error(`QStash answers ${response.status}. Is QSTASH_URL that of the token's region?`)
  return signingKeys.parse(await readJson(response, 'QStash'))
}
const signingKeys = z.object({ current: z.string(), next: z.string() })

async function checkQStash(environment: Environment): Promise<string> {
  await readQStashKeys(environment)
  return 'is valid'
}

async function checkSigningKeys(environment: Environment): Promise<string> {
  const { current, next } = await readQStashKeys(environment)
  const isCurrent = current === environment.QSTASH_CURRENT_SIGNING_KEY
  const isNext = next === environment.QSTASH_NEXT_SIGNING_KEY
  if (isCurrent && isNext) return 'are the same as in QStash'
  // After the first step of a rotation, QStash signs with the key that is still the next one here.
  if (current === environment.QSTASH_NEXT_SIGNING_KEY) {
    throw new Error(
      'QStash has rotated its keys. Callbacks are still accepted, by the next key alone. Set both keys again.',
    )
  }
  const wrong = [...(isCurrent ? [] : ['QSTASH_CURRENT_SIGNING_KEY']), ...(isNext ? [] : ['QSTASH_NEXT_SIGNING_KEY'])]
  throw new Error(`${wrong.join(' and ')} differ from QStash's, so callbacks are refused. Copy them from the console.`)
}
