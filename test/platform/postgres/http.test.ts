// Neon's SQL over HTTP: requests, answers, and clean sessions.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresStandIn, startPostgres } from '../postgres.ts'
import { BACKENDS, fail, post, run, until, type WireResult } from './world.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

describe.each(BACKENDS)('POST /sql, with $name', ({ options }) => {
  let postgres: PostgresStandIn
  beforeAll(async () => {
    postgres = await startPostgres(options)
  })
  afterAll(() => postgres.close())

  test('answers a query with fields, rows, command and count', async () => {
    await postgres.query('CREATE TABLE presses (id int8 PRIMARY KEY, name varchar(64))')
    const [table] = await postgres.query("SELECT 'presses'::regclass::oid AS oid")
    const { status, headers, text } = await post(postgres, {
      query: 'INSERT INTO presses VALUES ($1, $2), (2, null) RETURNING *',
      params: [1, 'LX-90'],
    })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('neon-request-id')).toMatch(UUID)
    const field = { tableID: table?.oid, format: 'text' }
    expect(JSON.parse(text)).toEqual({
      fields: [
        { ...field, name: 'id', dataTypeID: 20, columnID: 1, dataTypeSize: 8, dataTypeModifier: -1 },
        { ...field, name: 'name', dataTypeID: 1043, columnID: 2, dataTypeSize: -1, dataTypeModifier: 68 },
      ],
      rows: [
        ['1', 'LX-90'],
        ['2', null],
      ],
      command: 'INSERT',
      rowCount: 2,
      rowAsArray: true,
    })
  })

  test.each([
    ['CREATE TABLE tagged (n int)', 'CREATE', null],
    ['INSERT INTO tagged VALUES (1), (2), (3)', 'INSERT', 3],
    ['UPDATE tagged SET n = 0 WHERE n > 1', 'UPDATE', 2],
    ['DELETE FROM tagged WHERE n > 5', 'DELETE', 0],
    ['SELECT * FROM tagged', 'SELECT', 3],
    ['DROP TABLE tagged', 'DROP', null],
    ['', '', null],
  ])('answers the command and the count of %j', async (query, command, rowCount) => {
    expect(await run(postgres, { query })).toMatchObject({ command, rowCount })
  })

  test('runs a batch in one transaction and repeats its headers', async () => {
    const queries = [
      { query: 'SELECT pg_current_xact_id() AS id' },
      { query: 'SELECT pg_current_xact_id() AS id' },
      { query: 'SHOW transaction_isolation' },
    ]
    const level = { 'Neon-Batch-Isolation-Level': 'RepeatableRead', 'Neon-Batch-Deferrable': 'false' }
    const { headers, text } = await post(postgres, { queries }, level)
    const { results }: { results: WireResult[] } = JSON.parse(text)
    const id = expect.any(String)
    expect(results.map(({ rows }) => rows)).toEqual([[[id]], [[id]], [['repeatable read']]])
    expect(results[0]?.rows).toEqual(results[1]?.rows)
    expect(headers.get('neon-batch-isolation-level')).toBe('RepeatableRead')
    expect(headers.get('neon-batch-deferrable')).toBeNull()
    expect(headers.get('neon-batch-read-only')).toBeNull()
  })

  test('answers an empty batch with no results', async () => {
    expect((await post(postgres, { queries: [] })).text).toBe('{"results":[]}')
  })

  test('percent-decodes the connection string', async () => {
    const url = postgres.databaseUrl.replace('//tiebar:', '//%74iebar:').replace('postgresql:', 'postgres:')
    expect((await post(postgres, { query: 'SELECT 1' }, { 'Neon-Connection-String': url })).status).toBe(200)
  })

  test('starts each request in a clean session', async () => {
    await run(postgres, { query: 'BEGIN' })
    expect((await fail(postgres, { query: 'SAVEPOINT here' })).body.code).toBe('25P01')
    await run(postgres, { query: "SET DateStyle = 'German'" })
    await run(postgres, { query: "SELECT set_config('tiebar.leak', 'yes', false)" })
    await run(postgres, { query: 'CREATE TEMP TABLE leak (n int)' })
    await run(postgres, { query: 'PREPARE leak AS SELECT 1' })
    await run(postgres, { query: 'SELECT pg_advisory_lock(4711)' })
    const query = `SELECT now()::date::text ~ '^\\d{4}-', coalesce(current_setting('tiebar.leak', true), ''),
      to_regclass('pg_temp.leak'), (SELECT count(*) FROM pg_prepared_statements WHERE name = 'leak')`
    expect((await run(postgres, { query })).rows).toEqual([['t', '', null, '0']])
    // Another client of the pool may see the lock until the one that has it is reset.
    const locks = `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
    await until(async () => JSON.stringify((await run(postgres, { query: locks })).rows) === '[["0"]]')
    await fail(postgres, { query: 'SELECT 1/0' })
    expect((await run(postgres, { query: 'SELECT 1' })).rows).toEqual([['1']])
  })

  test.each<[name: string, what: string]>([
    ['the database', 'DATABASE %I'],
    // Settings of a role without a database would reach all databases of a real server.
    ...(options.serverUrl === undefined ? [['the role', 'ROLE CURRENT_USER'] satisfies [string, string]] : []),
    ['the role in the database', 'ROLE CURRENT_USER IN DATABASE %I'],
  ])('has the session settings of %s from the next request on', async (_, what) => {
    const read = async () => (await run(postgres, { query: "SELECT current_setting('search_path')" })).rows[0]
    const usual = await read()
    const alter = async (change: string) => {
      const query = `SELECT format('ALTER ${what} ${change}', current_database())`
      const [row] = (await run(postgres, { query })).rows
      await run(postgres, { query: String(Array.isArray(row) && row[0]) })
    }
    await alter('SET search_path = odd')
    onTestFinished(() => alter('RESET search_path'))
    expect(await read()).toEqual(['odd'])
    await run(postgres, { query: 'SET search_path = other' })
    expect(await read()).toEqual(['odd'])
    await alter('RESET search_path')
    expect(await read()).toEqual(usual)
  })

  test('prefers the settings of the role in the database to those of the database', async () => {
    const change = (action: string) =>
      postgres.query(`DO $$ BEGIN
        EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I ${action}', current_database(), 'of_role');
        EXECUTE format('ALTER DATABASE %I ${action}', current_database(), 'of_database');
      END $$`)
    await change('SET search_path = %I')
    onTestFinished(async () => {
      await change('RESET search_path')
    })
    expect((await run(postgres, { query: "SELECT current_setting('search_path')" })).rows).toEqual([['of_role']])
  })

  test('answers other methods as Neon does', async () => {
    const other = await fetch(postgres.fetchEndpoint)
    expect([other.status, await other.json()]).toEqual([400, 'query is not supported'])
    expect(other.headers.get('neon-request-id')).toMatch(UUID)
  })
})
