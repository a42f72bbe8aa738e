// `npm run doctor`: all lines are green when everything works; each error is one red line with instructions.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { runChecks } from '../../src/tools/doctor/checks.ts'
import { setSessionDefaults } from '../../src/tools/session-defaults.ts'
import { hasRealPostgres, makeSigningKey, serviceVariables, type World } from '../harness.ts'
import { fail, only, open, shut } from '../platform/faults.ts'
import { type StandInRequest, type StandInServer, startHttpServer } from '../platform/http.ts'
import { resetSettings, setOddSettings } from '../platform/odd-settings.ts'
import { useWorld } from '../shared-world.ts'
import { runTool } from './programs.ts'

let world: World
let variables: Record<string, string>
beforeAll(async () => {
  world = await useWorld()
  variables = {
    ...serviceVariables(world),
    PUBLIC_URL: world.url,
    JWT_KEYS: JSON.stringify([world.signingKey]),
    ALLOW_PRIVATE_CONTROLLERS: 'true',
  }
  await setSessionDefaults(addressOf(world))
})
afterAll(() => (hasRealPostgres ? setOddSettings(world.postgres) : resetSettings(world.postgres)))

const addressOf = ({ postgres }: World) => ({
  database_url: postgres.databaseUrl,
  fetch_endpoint: postgres.fetchEndpoint,
})

/** Runs the checks, with a running cron unless `isSwept` is false. */
async function check(
  changes: Record<string, string> = {},
  { url, isSwept = true }: { url?: string; isSwept?: boolean } = {},
) {
  const sweeping = new AbortController()
  const sweep = async () => {
    while (isSwept && !sweeping.signal.aborted) {
      await world.sweep()
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const sweeps = sweep()
  const findings = await runChecks({ variables: { ...variables, ...changes }, url, cronSeconds: isSwept ? 10 : 0.3 })
  sweeping.abort()
  await sweeps
  return findings
}

const errorsOf = (findings: Awaited<ReturnType<typeof check>>) =>
  findings.filter(({ isGood }) => !isGood).map(({ title, text }) => `${title}: ${text}`)

test('all lines are green when everything works', async () => {
  const findings = await check()
  expect(errorsOf(findings)).toEqual([])
  expect(findings.map(({ title }) => title)).toEqual([
    'variables',
    'PostgreSQL',
    'migrations',
    'session settings',
    'Redis',
    'QStash token',
    'QStash signing keys',
    'public URL',
    'readiness',
    'PUBLIC_URL',
    'JWT_KEYS',
    'callbacks',
    'clocks',
    'controllers',
    'cron',
  ])
  expect(await world.postgres.query("SELECT FROM idempotency_keys WHERE method = 'DOCTOR'")).toEqual([])
})

describe('a variable', () => {
  test('that is missing or invalid is named and not shown, and no other check runs', async () => {
    const findings = await check({ QSTASH_TOKEN: '', JWT_KEYS: 'leak', PUBLIC_URL: 'leak' })
    expect(findings.map(({ title, isGood }) => [title, isGood])).toEqual([
      ['QSTASH_TOKEN', false],
      ['PUBLIC_URL', false],
      ['JWT_KEYS', false],
    ])
    expect(JSON.stringify(findings)).not.toContain('leak')
    expect(findings[0]?.text).toMatch(/is missing.*wrangler secret put/)
  })

  const unusedUrl = 'http://127.0.0.1:9'
  test.each([
    [
      'DATABASE_URL',
      'postgresql://tiebar:wrong@db.localhost.tiebar.test/tiebar',
      ['PostgreSQL', 'migrations', 'session settings', 'clocks', 'cron'],
    ],
    ['NEON_FETCH_ENDPOINT', `${unusedUrl}/sql`, ['PostgreSQL', 'migrations', 'session settings', 'clocks', 'cron']],
    ['UPSTASH_REDIS_REST_URL', unusedUrl, ['Redis']],
    ['UPSTASH_REDIS_REST_TOKEN', 'a-wrong-token', ['Redis']],
    ['QSTASH_URL', unusedUrl, ['QStash token', 'QStash signing keys']],
    ['QSTASH_TOKEN', 'a-wrong-token', ['QStash token', 'QStash signing keys']],
    ['QSTASH_CURRENT_SIGNING_KEY', 'sig_somebody_elses', ['QStash signing keys', 'callbacks']],
    ['QSTASH_NEXT_SIGNING_KEY', 'sig_somebody_elses', ['QStash signing keys']],
    ['JWT_KEYS', JSON.stringify([makeSigningKey('other')]), ['JWT_KEYS']],
  ])('a wrong %s is found', async (name, value, red) => {
    const findings = await check({ [name]: value })
    expect(findings.filter(({ isGood }) => !isGood).map(({ title }) => title)).toEqual(red)
  })

  test('a PUBLIC_URL that differs from the URL of the Worker is found, also by the callbacks', async () => {
    const red = errorsOf(await check({ PUBLIC_URL: 'https://tiebar.example' }, { url: world.url }))
    expect(red.map((line) => line.split(':')[0])).toEqual(['PUBLIC_URL', 'callbacks'])
    expect(red[0]).toContain('Make the three equal')
  })
})

test('a URL without a server, or with another server, is found', async () => {
  const elsewhere: StandInServer = await startHttpServer('elsewhere', async () => ({ body: '<h1>It works!</h1>' }))
  for (const url of ['http://127.0.0.1:9', elsewhere.url]) {
    const red = errorsOf(await check({}, { url }))
    expect(red.map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining(['public URL', 'readiness', 'PUBLIC_URL', 'JWT_KEYS', 'callbacks']),
    )
  }
  await elsewhere.close()
})

test('an upstream that the Worker cannot reach is found', async () => {
  // A new Worker remembers no answer on its readiness.
  await world.reconfigure({})
  world.faults.redis.pass = (call, forward) =>
    call.headers['user-agent']?.includes('node') ? forward() : shut(call, forward)
  const red = errorsOf(await check())
  world.faults.redis.pass = open
  await world.reconfigure({})
  expect(red).toEqual([expect.stringMatching(/^readiness: The Worker does not reach redis/)])
})

test('an upstream that did not answer the Worker once is no error', async () => {
  await world.reconfigure({})
  const fits = ({ headers, body }: StandInRequest) =>
    !headers['user-agent']?.includes('node') && /ping/i.test(body.toString())
  world.faults.redis.pass = only(fail(), { count: 1, fits })
  expect((await world.request('GET', '/api/health/ready')).status).toBe(503)
  expect(errorsOf(await check())).toEqual([])
  world.faults.redis.pass = open
})

test('a database that was not migrated is found', async () => {
  const hash =
    'UPDATE drizzle.__drizzle_migrations SET hash = $1 WHERE id = (SELECT max(id) FROM drizzle.__drizzle_migrations)'
  const [row] = await world.postgres.query('SELECT hash FROM drizzle.__drizzle_migrations ORDER BY id DESC LIMIT 1')
  await world.postgres.query(hash, ['strange'])
  const red = errorsOf(await check())
  await world.postgres.query(hash, [row?.hash])
  expect(red).toEqual([expect.stringMatching(/^migrations: Migration \d+ of the database is not in this checkout/)])
})

test('session settings that differ are named with the command that sets them, which the command does', async () => {
  await setOddSettings(world.postgres)
  const red = errorsOf(await check())
  expect(red).toHaveLength(1)
  expect(red[0]).toMatch(/^session settings: TimeZone is Asia\/Seoul and should be UTC; DateStyle is SQL, DMY/)
  expect(red[0]).toMatch(/Run npm run db:migrate with the same DATABASE_URL/)
  const { code, stdout } = await runTool('db-migrate', [], { env: variables })
  expect([code, stdout]).toEqual([0, expect.stringContaining('TimeZone = UTC (was Asia/Seoul)')])
  expect(errorsOf(await check())).toEqual([])
})

test('a cron that does not run is found, and the marker row for it is deleted', async () => {
  const red = errorsOf(await check({}, { isSwept: false }))
  expect(red).toEqual([expect.stringMatching(/^cron: The sweep did not run within 0.3 s/)])
  expect(await world.postgres.query("SELECT FROM idempotency_keys WHERE method = 'DOCTOR'")).toEqual([])
})

test('the program prints one line per check, never a value, and exits with 1 after an error', async () => {
  const broken = await runTool('doctor', ['--cron-seconds', '0.1'], { env: variables })
  expect([broken.code, broken.stderr]).toEqual([1, ''])
  expect(broken.stdout).toMatch(/✓.* Redis .*can be read and written/)
  expect(broken.stdout).toMatch(/✗.* cron .*The sweep did not run/)
  expect(broken.stdout).toMatch(/\n1 check failed\.\n$/)
  const secrets = [variables.UPSTASH_REDIS_REST_TOKEN, variables.QSTASH_TOKEN, variables.JWT_KEYS]
  for (const secret of secrets) expect(broken.stdout).not.toContain(secret)
  const wrong = await runTool('doctor', ['--url', 'nonsense'], { env: variables })
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--url must be')])
})

describe('without variables', () => {
  test('the local platform is checked, and the first line names it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tiebar-doctor-'))
    onTestFinished(() => rm(dir, { recursive: true }))
    const { postgres, redis, qstash } = world
    const platform = {
      api: world.url,
      postgres: { database_url: postgres.databaseUrl, fetch_endpoint: postgres.fetchEndpoint },
      redis: { url: redis.url, token: redis.token },
      qstash: {
        url: qstash.url,
        token: qstash.token,
        current_signing_key: qstash.currentSigningKey,
        next_signing_key: qstash.nextSigningKey,
      },
      controller: 'http://127.0.0.1:9',
    }
    await writeFile(join(dir, 'platform.json'), JSON.stringify(platform))
    await writeFile(join(dir, 'keys.json'), JSON.stringify([world.signingKey]))
    const { stdout, stderr } = await runTool('doctor', ['--cron-seconds', '0.1'], { env: { LOCAL_DIR: dir } })
    expect(stderr).toBe('')
    expect(stdout.split('\n')[0]).toContain(`the local platform of ${join(dir, 'platform.json')}`)
    expect(stdout.match(/✗/g)).toHaveLength(1) // the cron, which does not run here
  })

  test('and without a local platform it is a usage error that says what to start or to set', async () => {
    const { code, stdout, stderr } = await runTool('doctor', [], { env: { LOCAL_DIR: '/nowhere' } })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^Which environment\? .*\/nowhere\/platform\.json: "npm run dev" writes it\.\n\nusage: /)
  })
})
