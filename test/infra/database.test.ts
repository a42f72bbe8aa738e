// The database client, on the PostgreSQL stand-in and on endpoints that answer wrongly.
import { type SQL, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Database, openDatabase } from '../../src/infra/database.ts'
import { UniqueViolation } from '../../src/infra/database-error.ts'
import { outputSettings } from '../../src/infra/settings.ts'
import { openClient } from '../../src/infra/sql-client.ts'
import { Trace } from '../../src/kernel/trace.ts'
import { type Exchange, type StandInAnswer, startHttpServer } from '../platform/http.ts'
import { resetSettings, setOddSettings } from '../platform/odd-settings.ts'
import { SERVER_URL, until } from '../platform/postgres/world.ts'
import { type PostgresStandIn, startPostgres } from '../platform/postgres.ts'

let postgres: PostgresStandIn
let exchanges: Exchange[] = []
let database: Database
beforeAll(async () => {
  postgres = await startPostgres({ onExchange: (exchange) => exchanges.push(exchange) })
  database = openDatabase(postgres.databaseUrl, postgres.fetchEndpoint)(new Trace())
  await postgres.query('CREATE TABLE parts (id int PRIMARY KEY, name text)')
})
afterAll(() => postgres?.close())

/** A client whose endpoint sends this answer. */
async function aDatabase(answer: () => Promise<StandInAnswer>) {
  const asked: string[] = []
  const server = await startHttpServer('endpoint', async ({ body }) => {
    asked.push(body.toString())
    return await answer()
  })
  onTestFinished(() => server.close())
  return { database: openDatabase('postgresql://u:p@h/d', `${server.url}/sql`)(new Trace()), asked }
}

const never = () => new Promise<never>(() => {})
const select = sql`SELECT 1`
/** The result of a statement without rows, such as the one that sets the session. */
const nothing = { fields: [], rows: [] }
const unavailable = { name: 'TiebarError', code: 'database_unavailable' }

test.each<[type: string, text: string, value: unknown]>([
  ['boolean', 'false', false],
  ['int2', '7', 7],
  ['int4', '-7', -7],
  ['int8', '9007199254740991', Number.MAX_SAFE_INTEGER],
  ['float8', '0.1', 0.1],
  ['json', '{"a": [1]}', { a: [1] }],
  ['jsonb', '"사출기"', '사출기'],
  ['timestamptz', '2026-11-22 23:19:12.1234+00', '2026-11-22T23:19:12.123400Z'],
  ['text', '2026-11-22', '2026-11-22'],
  ['date', '2026-11-22', '2026-11-22'],
  ['numeric', '1.50', '1.50'],
  ['uuid', '00000000-0000-7000-8000-000000000000', '00000000-0000-7000-8000-000000000000'],
  ['text[]', '{a,"b,c",NULL}', ['a', 'b,c', null]],
])('%s is parsed, or stays as the text of PostgreSQL', async (type, text, value) => {
  const statement = sql`SELECT ${text}::${sql.raw(type)} AS value, NULL::${sql.raw(type)} AS nothing`
  expect(await database.query('test', statement)).toEqual([{ value, nothing: null }])
  expect(await database.batch('test', [select, statement])).toEqual([{ value, nothing: null }])
})

test('parameters keep their types', async () => {
  const awkward = ['a"b', 'c\\d', 'e,f', '{g}', 'NULL', '', ' h ', '사출기', null]
  const statement = sql`SELECT ${'x'}::text AS text, ${7}::int AS int, ${true}::boolean AS bool, ${null}::text AS nothing,
    to_json(${sql.param(awkward)}::text[]) AS texts, to_json(${sql.param([1, 2])}::int[]) AS numbers,
    to_json(${sql.param([])}::text[]) AS none`
  expect(await database.query('test', statement)).toEqual([
    { text: 'x', int: 7, bool: true, nothing: null, texts: awkward, numbers: [1, 2], none: [] },
  ])
})

test.each([
  ['an object', { a: 1 }],
  ['a Date', new Date()],
  ['an object in an array', ['a', { a: 1 }]],
])('%s as a parameter throws a TypeError, and nothing is sent', async (_, value) => {
  exchanges = []
  await expect(database.query('test', sql`SELECT ${sql.param(value)}::jsonb`)).rejects.toThrow(TypeError)
  expect(exchanges).toEqual([])
})

test('a batch is one request and one transaction with our application name, and returns the rows of its last statement', async () => {
  exchanges = []
  const insert = sql`INSERT INTO parts VALUES (1, ${'bar'})`
  expect(
    await database.batch('test', [
      insert,
      sql`SELECT name, current_setting('transaction_isolation') AS level FROM parts`,
    ]),
  ).toEqual([{ name: 'bar', level: 'read committed' }])
  expect(exchanges).toHaveLength(1)
  const { 'neon-connection-string': connection } = exchanges[0]?.request.headers ?? {}
  expect(new URL(String(connection)).searchParams.get('application_name')).toBe('tiebar')
  await expect(database.batch('test', [sql`DELETE FROM parts`, sql`SELECT 1 / 0`])).rejects.toThrow('division by zero')
  expect(await database.query('test', sql`SELECT id FROM parts`)).toEqual([{ id: 1 }])
})

describe('in a database with odd session settings', () => {
  const aTime = sql`'2026-11-22T23:19:12.1234Z'::timestamptz`
  const parsed = '2026-11-22T23:19:12.123400Z'
  beforeAll(() => setOddSettings(postgres))
  afterAll(() => resetSettings(postgres))

  test('a single statement and a batch return times in UTC, also in JSON and as text', async () => {
    const statement = sql`SELECT ${aTime} AS time, to_jsonb(${aTime}) AS json, ${aTime}::text AS text`
    const row = { time: parsed, json: '2026-11-22T23:19:12.1234+00:00', text: '2026-11-22 23:19:12.1234+00' }
    expect(await database.query('test', statement)).toEqual([row])
    expect(await database.batch('test', [select, statement])).toEqual([row])
  })

  test('a statement that sets its output by itself is sent alone', async () => {
    exchanges = []
    const statement = sql`
      WITH caller AS (SELECT 1 AS id, ${sql.raw(outputSettings)} AS settings), kept AS (SELECT ${aTime} AS time FROM caller)
      SELECT kept.time, page.text FROM caller LEFT JOIN LATERAL (SELECT ${aTime}::text AS text WHERE caller.id = 1) page ON true, kept`
    expect(await database.query('test', statement)).toEqual([{ time: parsed, text: '2026-11-22 23:19:12.1234+00' }])
    expect(Object.keys(JSON.parse(String(exchanges[0]?.request.body)))).toEqual(['query', 'params'])
  })

  test('a batch is READ COMMITTED, reads backslashes as themselves, and ends before the deadline of the Worker', async () => {
    const settings = sql`SELECT current_setting('transaction_isolation') AS level, '\\' AS backslashes,
      current_setting('statement_timeout') AS timeout`
    const expected = { level: 'read committed', backslashes: '\\', timeout: '8s' }
    expect(await database.batch('test', [select, settings])).toEqual([expected])
    expect(await database.query('test', settings)).toEqual([expected])
  })

  test('the settings of a request end with it', async () => {
    await database.batch('test', [select, select])
    const run = openClient(postgres.databaseUrl, postgres.fetchEndpoint)
    const show = {
      query: "SELECT current_setting('TimeZone') AS zone, current_setting('statement_timeout') AS timeout",
    }
    expect(await run([show])).toEqual([[{ zone: 'Asia/Seoul', timeout: '0' }]])
  })
})

test('the plain client returns the rows of every statement', async () => {
  const run = openClient(postgres.databaseUrl, postgres.fetchEndpoint)
  expect(await run([{ query: 'SELECT 1 AS a' }, { query: 'SELECT $1::int AS b', params: [2] }])).toEqual([
    [{ a: 1 }],
    [{ b: 2 }],
  ])
})

test('several databases can be used in parallel, also on the same host', async () => {
  const other = await startPostgres()
  onTestFinished(() => other.close())
  const second = openDatabase(other.databaseUrl, other.fetchEndpoint)(new Trace())
  const question = sql`SELECT to_regclass('parts') IS NOT NULL AS is_there`
  const answers = await Promise.all([database, second, database, second].map((each) => each.query('test', question)))
  expect(answers.flat()).toEqual([true, false, true, false].map((is_there) => ({ is_there })))
})

test('without an endpoint the requests go to the URL of Neon', async () => {
  const asked: unknown[] = []
  const ownFetch = globalThis.fetch
  onTestFinished(() => {
    globalThis.fetch = ownFetch
  })
  globalThis.fetch = async (input) => {
    asked.push(input)
    return Response.json({ results: [nothing, nothing] })
  }
  const host = 'ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech'
  await openDatabase(`postgresql://user:p%40ss@${host}/db`)(new Trace()).query('test', select)
  expect(asked).toEqual(['https://api.us-east-2.aws.neon.tech/sql'])
})

describe.skipIf(SERVER_URL === undefined)('on a real server', () => {
  test.each<[what: string, start: (database: Database, sleep: SQL) => Promise<unknown>]>([
    ['a single statement', (each, sleep) => each.query('test', sleep)],
    ['a batch', (each, sleep) => each.batch('test', [select, sleep])],
  ])('%s that runs longer than the deadline of the Worker is ended', async (_, start) => {
    const own = await startPostgres({ serverUrl: SERVER_URL ?? '' })
    onTestFinished(() => own.close())
    const each = openDatabase(own.databaseUrl, own.fetchEndpoint)(new Trace())
    const beganAt = performance.now()
    const sleep = sql`SELECT pg_sleep(60), ${sql.raw(outputSettings)} AS settings`
    await expect(start(each, sleep)).rejects.toMatchObject(unavailable)
    expect(performance.now() - beganAt).toBeLessThan(30_000)
    await until(async () => {
      const running = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)%'"
      return (await own.query(`${running} AND pid <> pg_backend_pid() AND state = 'active'`)).length === 0
    })
  })
})

describe('an error', () => {
  test('of a unique index has the name of the index, and any other error of a statement its code', async () => {
    await postgres.query('INSERT INTO parts VALUES (2)')
    const error = await database.query('test', sql`INSERT INTO parts VALUES (2)`).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UniqueViolation)
    expect(error).toMatchObject({ constraint: 'parts_pkey' })
    await expect(database.query('test', sql`SELECT 1 / 0`)).rejects.toMatchObject({
      name: 'NeonDbError',
      code: '22012',
    })
  })

  test('of a proxy without a code is database_unavailable', async () => {
    const { database } = await aDatabase(async () => ({ status: 400, body: { message: 'no' } }))
    await expect(database.query('test', select)).rejects.toMatchObject(unavailable)
  })

  test('of a timeout is database_unavailable', async () => {
    const { database, asked } = await aDatabase(never)
    await expect(database.batch('test', [select], { deadlineMs: 60 })).rejects.toMatchObject(unavailable)
    await expect(database.batch('test', [select, select], { deadlineMs: 60 })).rejects.toMatchObject(unavailable)
    expect(asked).toHaveLength(2)
  })

  test('of a value that is not JSON is a defect and not an outage', async () => {
    const { database } = await aDatabase(async () => ({
      body: { results: [nothing, { fields: [{ name: 'a', dataTypeID: 3802 }], rows: [['{']] }] },
    }))
    await expect(database.query('test', select)).rejects.toMatchObject({ name: 'UnreadableValue' })
  })
})
