// The PostgreSQL stand-in over a real server, and clients that disconnect.
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresStandIn, type PostgresStandInOptions, startPostgres } from '../postgres.ts'
import { uniqueSuffix } from '../unique-suffix.ts'
import { openPglite } from './pglite.ts'
import { runPayload } from './run.ts'
import { post, run, SERVER_URL, until } from './world.ts'

const FLAGS = { begin: 'START TRANSACTION', echo: {} }

async function startHere(options: PostgresStandInOptions): Promise<PostgresStandIn> {
  const postgres = await startPostgres(options)
  onTestFinished(() => postgres.close())
  return postgres
}

test('PGlite does not start a statement whose client has disconnected', async () => {
  const backend = await openPglite(undefined, undefined)
  onTestFinished(() => backend.close())
  const disconnected = AbortSignal.abort(new Error('the client has disconnected'))
  const statement = { query: 'CREATE TABLE never (n int)', params: [] }
  const single = runPayload(backend, disconnected, { kind: 'single', statement }, FLAGS)
  await expect(single).rejects.toThrow('the client has disconnected')
  const batch = runPayload(backend, disconnected, { kind: 'batch', statements: [statement] }, FLAGS)
  await expect(batch).rejects.toThrow('the client has disconnected')
  const asked = { query: "SELECT to_regclass('never')", params: [] }
  const answer = await runPayload(backend, AbortSignal.any([]), { kind: 'single', statement: asked }, FLAGS)
  expect(JSON.parse(answer).rows).toEqual([[null]])
})

describe.skipIf(SERVER_URL === undefined)('A real server', () => {
  const serverUrl = SERVER_URL ?? ''

  /** Asks the server itself, past every stand-in. */
  async function ask(text: string, values: unknown[]): Promise<unknown[]> {
    const client = new Client({ connectionString: serverUrl })
    await client.connect()
    try {
      return (await client.query(text, values)).rows
    } finally {
      await client.end()
    }
  }

  const findDatabase = (name: string) => ask('SELECT datname FROM pg_database WHERE datname = $1', [name])

  test('has a database for each stand-in, dropped at the end', async () => {
    const [one, two] = [await startPostgres({ serverUrl }), await startPostgres({ serverUrl })]
    const name = new URL(one.databaseUrl).pathname.slice(1)
    expect(await one.query('SELECT current_database() AS name')).toEqual([{ name }])
    await one.query('CREATE TABLE mine (n int)')
    expect(await two.query("SELECT to_regclass('mine') AS found")).toEqual([{ found: null }])
    await one.close()
    await two.close()
    expect(await findDatabase(name)).toEqual([])
    expect(one.dump).toBeUndefined()
  })

  test('keeps a database with a given name', async () => {
    const database = `tiebar test ${randomBytes(6).toString('hex')}`
    onTestFinished(async () => {
      await ask(`DROP DATABASE "${database}" WITH (FORCE)`, [])
    })
    const starting = [startPostgres({ serverUrl, database }), startPostgres({ serverUrl, database })]
    const [first, beside] = await Promise.all(starting)
    await first?.query('CREATE TABLE kept (n int)')
    await Promise.all([first?.close(), beside?.close()])
    const second = await startPostgres({ serverUrl, database })
    expect((await run(second, { query: "SELECT to_regclass('kept')" })).rows).toEqual([['kept']])
    await second.close()
  })

  test('has a copy of a template, which stays as it is', async () => {
    const template = `tiebar_${uniqueSuffix()}`
    onTestFinished(async () => {
      await ask(`DROP DATABASE "${template}" WITH (FORCE)`, [])
    })
    const original = await startPostgres({ serverUrl, database: template })
    await original.query('CREATE TABLE copied (n int); INSERT INTO copied VALUES (7)')
    await original.close()
    const [one, two] = await Promise.all([startHere({ serverUrl, template }), startHere({ serverUrl, template })])
    await one.query('DELETE FROM copied')
    expect(await two.query('SELECT n FROM copied')).toEqual([{ n: 7 }])
    expect(await (await startHere({ serverUrl, template })).query('SELECT n FROM copied')).toEqual([{ n: 7 }])
  })

  test('runs requests concurrently', async () => {
    const postgres = await startHere({ serverUrl })
    await postgres.query('CREATE TABLE meet (n int); INSERT INTO meet VALUES (0)')
    const wait = `DO $$ BEGIN
      UPDATE meet SET n = n + 1;
      COMMIT;
      FOR i IN 1..500 LOOP
        EXIT WHEN (SELECT n FROM meet) = 2;
        PERFORM pg_sleep(0.02);
      END LOOP;
      IF (SELECT n FROM meet) < 2 THEN RAISE 'nobody came'; END IF;
    END $$`
    const both = await Promise.all([post(postgres, { query: wait }), post(postgres, { query: wait })])
    expect(both.map(({ status }) => status)).toEqual([200, 200])
  })

  test.each([
    ['a statement', { query: 'SELECT pg_sleep(60)' }],
    ['a batch', { queries: [{ query: 'INSERT INTO log VALUES (1)' }, { query: 'SELECT pg_sleep(60)' }] }],
  ])('cancels %s when its client disconnects, and rolls it back', async (_what, payload) => {
    const postgres = await startHere({ serverUrl })
    await postgres.query('CREATE TABLE log (n int)')
    const countRunning = async () => {
      const [row] = await postgres.query(`SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND state <> 'idle' AND query LIKE 'SELECT pg_sleep%'`)
      return row?.n
    }
    const leaving = new AbortController()
    const answer = post(postgres, payload, {}, leaving.signal)
    await until(async () => (await countRunning()) === 1)
    leaving.abort()
    await expect(answer).rejects.toThrow('aborted')
    await until(async () => (await countRunning()) === 0)
    expect(await postgres.query('SELECT n FROM log')).toEqual([])
    expect((await run(postgres, { query: 'SELECT 1' })).rows).toEqual([['1']])
  })

  test('stops reading a result that is too large', async () => {
    const postgres = await startHere({ serverUrl })
    const endless = { query: "SELECT repeat('x', 1000), generate_series(1, 1000000000)" }
    expect((await post(postgres, endless)).status).toBe(507)
  })

  test('works after a lost connection, which is an error of its request', async () => {
    const postgres = await startHere({ serverUrl })
    const { status, text } = await post(postgres, { query: 'SELECT pg_terminate_backend(pg_backend_pid())' })
    expect([status, JSON.parse(text).code]).toEqual([400, '57P01'])
    expect((await run(postgres, { query: 'SELECT 1' })).rows).toEqual([['1']])
  })

  test('closes while statements run', async () => {
    const postgres = await startPostgres({ serverUrl })
    const byFetch = post(postgres, { query: 'SELECT pg_sleep(60)' })
    const byBackDoor = postgres.query('SELECT pg_sleep(60)')
    const both = Promise.allSettled([byFetch, byBackDoor])
    const name = new URL(postgres.databaseUrl).pathname.slice(1)
    await until(async () => {
      const sleeping = "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND query = 'SELECT pg_sleep(60)'"
      return (await ask(sleeping, [name])).length === 2
    })
    await postgres.close()
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await findDatabase(name)).toEqual([])
  })

  test('answers 500 when the database is unavailable, and does not start without a server', async () => {
    const postgres = await startPostgres({ serverUrl })
    const name = new URL(postgres.databaseUrl).pathname.slice(1)
    await run(postgres, { query: 'SELECT 1' })
    await ask(`DROP DATABASE "${name}" WITH (FORCE)`, [])
    await until(async () => (await post(postgres, { query: 'SELECT 1' })).status === 500)
    const { text } = await post(postgres, { query: 'SELECT 1' })
    expect(JSON.parse(text)).toMatchObject({ code: '', message: expect.stringContaining('does not exist') })
    await ask(`CREATE DATABASE "${name}"`, [])
    await postgres.close()
    await expect(startPostgres({ serverUrl: 'postgresql://postgres@127.0.0.1:1/postgres' })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
  })
})
