// The database client, on the PostgreSQL stand-in and on endpoints that answer wrongly.
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Database, openClient, openDatabase, UniqueViolation } from '../../src/infra/database.ts'
import { Trace } from '../../src/kernel/trace.ts'
import { type Exchange, type StandInAnswer, startHttpServer } from '../platform/http.ts'
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
  ['text[]', '{a,b}', '{a,b}'],
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
    return Response.json({ fields: [], rows: [] })
  }
  const host = 'ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech'
  await openDatabase(`postgresql://user:p%40ss@${host}/db`)(new Trace()).query('test', select)
  expect(asked).toEqual(['https://api.us-east-2.aws.neon.tech/sql'])
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
      body: { fields: [{ name: 'a', dataTypeID: 3802 }], rows: [['{']] },
    }))
    await expect(database.query('test', select)).rejects.toMatchObject({ name: 'UnreadableValue' })
  })
})
