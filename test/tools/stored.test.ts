// The functions in which PostgreSQL keeps the most frequent statements, and a Worker without them.
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { deadlineMs, openDatabase, toSent } from '../../src/infra/database.ts'
import { render } from '../../src/infra/prepare.ts'
import { openClient } from '../../src/infra/sql-client.ts'
import { callOf, findStored, isUnusable } from '../../src/infra/stored.ts'
import { storedFunctions } from '../../src/infra/stored-functions.ts'
import { claim } from '../../src/jobs/sql/claim.ts'
import { Trace } from '../../src/kernel/trace.ts'
import { updateDatabase } from '../../src/tools/migrations.ts'
import { storedCalls } from '../../src/tools/stored/catalog.ts'
import { findOutdated, makeFunctions } from '../../src/tools/stored/generate.ts'
import { hasFunctions } from '../../src/tools/stored/install.ts'
import { textsOf } from '../bench/plan.ts'
import { hasRealPostgres, type Person, startWorld, type World } from '../harness.ts'
import { addressOf, startEmpty, startMigrated } from '../migrated.ts'
import type { PostgresStandIn } from '../platform/postgres.ts'

test('the files are what the statements of the code say; otherwise run npm run db:generate', async () => {
  const functions = await makeFunctions()
  expect(functions.length).toBeGreaterThan(30)
  expect(findOutdated(functions)).toEqual([])
})

const aTime = '2026-11-22T23:19:12.1234Z'
const jobId = '00000000-0000-7000-8000-000000000001'

async function use(starting: Promise<PostgresStandIn>) {
  const postgres = await starting
  onTestFinished(() => postgres.close())
  return { postgres, address: addressOf(postgres) }
}

test('a database gets the functions once, and those of another version are replaced', async () => {
  const { postgres, address } = await use(startEmpty())
  expect(await hasFunctions(address)).toBe(false)
  const installed = (await updateDatabase(address)).at(-1)
  expect(installed).toMatch(/^\d+ functions$/)
  expect([await hasFunctions(address), await updateDatabase(address)]).toEqual([true, []])
  await postgres.query(`
    COMMENT ON SCHEMA statements IS 'another version';
    CREATE FUNCTION statements.old_0123456789ab(int, text) RETURNS void LANGUAGE sql AS ''`)
  expect(await hasFunctions(address)).toBe(false)
  expect(await updateDatabase(address)).toEqual([installed])
  expect(await postgres.query("SELECT FROM pg_proc WHERE proname LIKE 'old%'")).toEqual([])
})

test('a lost function is noticed and installed again, although the schema has its comment', async () => {
  const { postgres, address } = await use(startMigrated())
  await postgres.query(`DO $$ DECLARE claim regprocedure; BEGIN
    SELECT oid INTO STRICT claim FROM pg_proc WHERE proname LIKE 'claim_%' AND pronamespace = 'statements'::regnamespace;
    EXECUTE format('DROP FUNCTION %s', claim); END $$`)
  expect(await hasFunctions(address)).toBe(false)
  expect(await updateDatabase(address)).toEqual([`${storedFunctions.size} functions`])
  expect(await hasFunctions(address)).toBe(true)
})

test('a schema of the same name that was there before keeps what is in it', async () => {
  const { postgres, address } = await use(startEmpty())
  await postgres.query(`
    CREATE SCHEMA statements;
    CREATE TABLE statements.bank (id int);
    INSERT INTO statements.bank VALUES (1);
    CREATE FUNCTION statements.total() RETURNS int LANGUAGE sql AS 'SELECT 1'`)
  for (const _ of ['installed', 'replaced']) {
    await updateDatabase(address)
    expect(await hasFunctions(address)).toBe(true)
    expect(await postgres.query('SELECT id, statements.total() FROM statements.bank')).toEqual([{ id: 1, total: 1 }])
    await postgres.query("COMMENT ON SCHEMA statements IS 'another version'")
  }
})

test('of several runs at once, one installs them', async () => {
  const { address } = await use(startEmpty())
  const done = await Promise.all(Array.from({ length: 4 }, () => updateDatabase(address)))
  expect(done.flat().filter((name) => name.endsWith(' functions'))).toEqual([`${storedFunctions.size} functions`])
  expect([await hasFunctions(address), await updateDatabase(address)]).toEqual([true, []])
})

test('a function that was missing is called again after five minutes: it may be there', async () => {
  const [call] = storedCalls
  const sent = await textsOf((database) => call?.(database) ?? Promise.resolve())
  const texts = sent.map(({ query }) => query)
  const name = findStored('rotate-refresh', texts, 'last', 0)
  expect(name).toMatch(/^rotate_refresh_/)
  expect(isUnusable(String(name), { code: '42883' }, 0)).toBe(true)
  expect(findStored('rotate-refresh', texts, 'last', 5 * 60_000 - 1)).toBeUndefined()
  expect(findStored('rotate-refresh', texts, 'last', 5 * 60_000)).toBe(name)
})

/** The columns of these statements have the same names and different types. */
const ofEachType = [
  sql`SELECT 9007199254740991::bigint AS id, ${aTime}::timestamptz AS at, NULL::text AS value`,
  sql`SELECT 'nothing'::text AS id WHERE false`,
  sql`SELECT each AS id, ARRAY['a,b', NULL] AS at, jsonb_build_object('at', ${aTime}::timestamptz) AS value, each = 1 AS is_first
    FROM generate_series(1, ${60}::int) each`,
  sql`INSERT INTO accounts (username, username_key, email, password_hash, date_joined)
    SELECT 'each', 'each', 'each@example.com', 'x', ${aTime}::timestamptz RETURNING username AS id, date_joined AS at`,
  sql`UPDATE accounts SET first_name = ${'Bora'}`,
  sql`WITH gone AS (DELETE FROM accounts RETURNING first_name)
    SELECT (SELECT count(*) FROM accounts) AS id, statement_timestamp() > now() AS at, 0.5::float8 AS value, first_name FROM gone`,
]

test('a call that reads the rows of each of its statements gets them from a function, with the same values', async () => {
  const { postgres, address } = await use(startMigrated())
  const [each] = await makeFunctions([(database) => database.batchAll('each', ofEachType)])
  await postgres.query(String(each?.sql))
  const names = storedFunctions as Set<string> // only the generator adds to it
  names.add(String(each?.name))
  onTestFinished(() => void names.delete(String(each?.name)))
  const queries = ofEachType.map(render)
  expect(toSent('each', queries, 'all').functionName).toBe(each?.name)

  const database = openDatabase(address.database_url, address.fetch_endpoint)(new Trace())
  const rows = await database.batchAll('each', ofEachType)
  expect(rows.map(({ length }) => length)).toEqual([1, 0, 60, 1, 0, 1])
  expect(rows[0]).toEqual([{ id: Number.MAX_SAFE_INTEGER, at: '2026-11-22T23:19:12.123400Z', value: null }])
  expect(rows[5]).toEqual([{ id: 1, at: true, value: 0.5, first_name: 'Bora' }])
  expect(isUnusable(String(each?.name), { code: '42883' })).toBe(true)
  expect(toSent('each', queries, 'all').functionName).toBeUndefined()
  expect(await database.batchAll('each', ofEachType)).toEqual(rows)
})

test('a function that returns the last rows of a call is not one for a call that reads the rows of each statement', async () => {
  const [, ...statements] = await textsOf((database) => claim(database, jobId, 'queue'))
  const queries = statements.map(({ query, params = [] }) => ({ sql: query, params }))
  expect(toSent('claim', queries).functionName).toMatch(/^claim_/)
  expect(toSent('claim', queries, 'all').functionName).toBeUndefined()
})

test('statements that are in no function are sent as text', () => {
  const { statements, functionName } = toSent('read-machine', [render(sql`SELECT ${1}::int AS id`)])
  expect([statements.at(-1)?.query, functionName]).toEqual(['/* read-machine */ SELECT $1::int AS id', undefined])
})

describe('a Worker', () => {
  let world: World
  let owner: Person
  beforeAll(async () => {
    world = await startWorld()
    owner = await world.signUp()
  })
  afterAll(() => world?.close())

  /** The queries of the requests to PostgreSQL by their names. */
  const queriesOf = (name: string) =>
    world.requestsTo('postgres').flatMap(({ body }) => {
      const { queries = [], ...single } = JSON.parse(String(body))
      return [...queries, single].map(({ query }) => String(query)).filter((text) => text.startsWith(`/* ${name} */`))
    })

  test.each([
    ['of columns of another type', '42804'],
    ['that its role may not call', '42501'],
  ])('sends the texts instead of a function %s', async (_, code) => {
    const { body: site } = await owner.request('POST', '/api/sites', { body: { name: code } })
    const machine = await world.createMachine(owner, { site_id: site.id })
    const name = { 42804: 'list_machines', 42501: 'list_board' }[code] ?? ''
    await world.postgres.query(`
      DO $do$ DECLARE broken record; BEGIN
        FOR broken IN SELECT oid::regprocedure AS call, pg_get_function_result(oid) AS result FROM pg_proc WHERE proname LIKE '${name}_%'
        LOOP EXECUTE format('CREATE OR REPLACE FUNCTION %s RETURNS %s LANGUAGE plpgsql AS
          $body$ BEGIN RAISE EXCEPTION USING ERRCODE = ''${code}''; END $body$', broken.call, broken.result); END LOOP;
      END $do$`)
    const path = name === 'list_board' ? '/api/board' : '/api/machines'
    const { status, body } = await owner.request('GET', `${path}?sort=id`)
    expect([status, body.items.map(({ id }: { id: number }) => id)]).toEqual([
      200,
      expect.arrayContaining([machine.id]),
    ])
    expect(world.logs()).toContainEqual(
      expect.objectContaining({ error: 'unusable_function', message: expect.stringContaining(name) }),
    )
  })

  test('calls the functions, and reads and decides the same without them', async () => {
    const machine = await world.createMachine(owner)
    const read = async () => (await owner.request('GET', `/api/machines/${machine.id}`)).body
    const before = await read()
    expect(queriesOf('read-machine').at(-1)).toMatch(/^\/\* read-machine \*\/ SELECT \* FROM statements\.read_machine_/)
    await world.postgres.query('DROP SCHEMA statements CASCADE')
    expect(await read()).toEqual(before)
    const started = await world.operate(owner, machine.id, 'START')
    expect(started.status).toBe(202)
    await world.waitForJob(owner, started.body.id, 'SUCCEEDED')
    const missing = world.logs().filter(({ error }) => error === 'unusable_function')
    expect(missing.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^create_job_\w+: run npm run db:migrate$/),
    )
    world.exchanges.length = 0
    await read()
    expect(queriesOf('read-machine')).toEqual([expect.stringContaining('WITH caller')]) // it does not try again
  })
})

test('a function runs all statements of its call, and each sees what happened before it', async () => {
  const { address } = await use(startMigrated())
  const execute = openClient(address.database_url, address.fetch_endpoint)
  const [functions = []] = await execute([{ query: "SELECT prosrc FROM pg_proc WHERE proname LIKE 'create_job_%'" }])
  expect(functions.length).toBeGreaterThan(0)
  for (const { prosrc } of functions) {
    const [locking, deciding] = String(prosrc).split('FOR NO KEY UPDATE OF m')
    expect(locking).not.toContain('statement_start -')
    // The clock of a decision is read after the wait for the lock.
    expect(deciding).toMatch(/LOOP END LOOP;\s+statement_start := clock_timestamp\(\);\s+RETURN QUERY/)
    expect(deciding).not.toContain('statement_timestamp()')
  }
})

describe.skipIf(!hasRealPostgres)('a function that waits for a lock', () => {
  test('gives up at the deadline of the Worker, whatever the role has as statement_timeout', {
    timeout: 40_000,
  }, async () => {
    const { postgres, address } = await use(startMigrated())
    const [call] = await postgres.query(`
      SELECT proname, pronargs FROM pg_proc WHERE proname LIKE 'redispatch\\_job\\_%'`)
    await postgres.query(`
      INSERT INTO accounts (username, username_key, email, password_hash) VALUES ('a', 'a', 'a@example.com', 'x');
      INSERT INTO machines (name, location, owner_id) VALUES ('M', 'Hall 1', 1);
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, requested_by, requested_at, not_after)
        VALUES ('${jobId}', 1, 1, 'START', 'QUEUED', 1, now(), now() + interval '1 hour')`)
    const holding = postgres.query(`
      BEGIN; SELECT FROM machines FOR UPDATE; SELECT pg_sleep(${2 * (deadlineMs / 1000)}); COMMIT`)
    const waiting = openClient(address.database_url, address.fetch_endpoint)
    const isLocked = async () =>
      (await postgres.query("SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND wait_event = 'PgSleep'"))
        .length > 0
    await expect.poll(isLocked).toBe(true)
    const params = Array.from({ length: Number(call?.pronargs) }, () => jobId)
    const query = callOf(String(call?.proname), params.length)
    await expect(waiting([{ query, params }])).rejects.toMatchObject({ code: '55P03' })
    await holding
  })
})
