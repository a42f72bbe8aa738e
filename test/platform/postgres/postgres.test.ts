// The PostgreSQL stand-in through Neon's driver, drizzle, and its own `query`.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NeonDbError, type NeonQueryFunction, neon, neonConfig } from '@neondatabase/serverless'
import { eq, sql as raw } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/neon-http'
import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Exchange } from '../http.ts'
import { type PostgresStandIn, startPostgres } from '../postgres.ts'
import { BACKENDS } from './world.ts'

describe.each(BACKENDS)('Neon’s driver, with $name', ({ options }) => {
  let postgres: PostgresStandIn
  let sql: NeonQueryFunction<false, false>
  const exchanges: Exchange[] = []
  const { fetchEndpoint } = neonConfig // of the whole process: other files of this worker use the driver, too

  beforeAll(async () => {
    postgres = await startPostgres({ ...options, onExchange: (exchange) => exchanges.push(exchange) })
    neonConfig.fetchEndpoint = postgres.fetchEndpoint
    sql = neon(postgres.databaseUrl)
  })

  afterAll(() => {
    neonConfig.fetchEndpoint = fetchEndpoint
    return postgres.close()
  })

  test('parses values with its own parsers', async () => {
    const rows = await sql`SELECT ${7}::int4 AS n, ${'x'} AS t, ${[1, 2]}::int4[] AS a, ${null}::text AS z,
      ${{ deep: [true] }}::jsonb AS j, ${9007199254740993n}::int8 AS big, ${new Date(0)}::timestamptz::text AS at`
    const [row] = rows
    expect(row).toEqual({
      n: 7,
      t: 'x',
      a: [1, 2],
      z: null,
      j: { deep: [true] },
      big: '9007199254740993',
      at: '1970-01-01 00:00:00+00',
    })
  })

  test('throws a NeonDbError with the fields of PostgreSQL’s error', async () => {
    await sql`CREATE TABLE machines (id int PRIMARY KEY)`
    await sql`INSERT INTO machines VALUES (1)`
    const error = await sql`INSERT INTO machines VALUES (1)`.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(NeonDbError)
    expect(error).toMatchObject({
      message: 'duplicate key value violates unique constraint "machines_pkey"',
      severity: 'ERROR',
      code: '23505',
      detail: 'Key (id)=(1) already exists.',
      schema: 'public',
      table: 'machines',
      constraint: 'machines_pkey',
    })
  })

  test('is authenticated by user, password and database', async () => {
    const url = new URL(postgres.databaseUrl)
    url.password = 'another'
    await expect(neon(url.href)`SELECT 1`).rejects.toMatchObject({
      code: '28P01',
      message: 'password authentication failed for user "tiebar"',
    })
    url.href = postgres.databaseUrl
    url.username = 'somebody'
    await expect(neon(url.href)`SELECT 1`).rejects.toMatchObject({ code: '28P01' })
    url.href = postgres.databaseUrl
    url.pathname = '/elsewhere'
    await expect(neon(url.href)`SELECT 1`).rejects.toMatchObject({ code: '3D000' })
  })

  test('runs a transaction with an isolation level and modes', async () => {
    const modes = () => [
      sql`SHOW transaction_isolation`,
      sql`SHOW transaction_read_only`,
      sql`SHOW transaction_deferrable`,
    ]
    const asked = { isolationLevel: 'Serializable', readOnly: true, deferrable: true } as const
    expect(await sql.transaction(modes(), asked)).toEqual([
      [{ transaction_isolation: 'serializable' }],
      [{ transaction_read_only: 'on' }],
      [{ transaction_deferrable: 'on' }],
    ])
    expect(await sql.transaction(modes())).toEqual([
      [{ transaction_isolation: 'read committed' }],
      [{ transaction_read_only: 'off' }],
      [{ transaction_deferrable: 'off' }],
    ])
  })

  test('rolls a transaction back if one of its statements fails', async () => {
    await sql`CREATE TABLE undone (n int CHECK (n < 10))`
    const batch = sql.transaction([sql`INSERT INTO undone VALUES (1)`, sql`INSERT INTO undone VALUES (10)`])
    await expect(batch).rejects.toMatchObject({ code: '23514' })
    expect(await sql`SELECT n FROM undone`).toEqual([])
  })

  test('rolls a transaction back if its commit fails', async () => {
    await sql`CREATE TABLE late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)`
    const batch = sql.transaction([sql`INSERT INTO late VALUES (1)`, sql`INSERT INTO late VALUES (1)`])
    await expect(batch).rejects.toMatchObject({ code: '23505' })
    expect(await sql`SELECT n FROM late`).toEqual([])
  })

  test('makes one exchange per statement or batch', async () => {
    exchanges.length = 0
    await sql`SELECT 1`
    await sql.transaction([sql`SELECT 1`, sql`SELECT 2`])
    expect(exchanges.map(({ service, method, target, status }) => [service, method, target, status])).toEqual([
      ['postgres', 'POST', '/sql', 200],
      ['postgres', 'POST', '/sql', 200],
    ])
  })

  test('works with drizzle: queries, batches and mapped columns', async () => {
    await postgres.query(`CREATE TABLE moulds (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
      made_at timestamptz NOT NULL DEFAULT '2024-02-29T12:00:00Z')`)
    const moulds = pgTable('moulds', {
      id: integer().generatedAlwaysAsIdentity().primaryKey(),
      name: text().notNull(),
      madeAt: timestamp('made_at', { withTimezone: true }).notNull().defaultNow(),
    })
    const db = drizzle({ client: sql })
    const [cup] = await db.insert(moulds).values({ name: 'cup' }).returning()
    expect(cup).toMatchObject({ id: 1, name: 'cup', madeAt: expect.any(Date) })

    const [updated, counted, selected] = await db.batch([
      db.execute(raw`UPDATE moulds SET name = ${'lid'} WHERE name = ${'cup'}`),
      db.execute<{ n: string }>(raw`SELECT count(*) AS n FROM moulds WHERE name = ${'lid'}`),
      db.select({ name: moulds.name }).from(moulds).where(eq(moulds.id, 1)),
    ])
    expect(updated.rowCount).toBe(1)
    expect(counted.rows).toEqual([{ n: '1' }])
    expect(selected).toEqual([{ name: 'lid' }])

    const failing = db.batch([db.delete(moulds), db.execute(raw`SELECT 1/0`)])
    await expect(failing).rejects.toMatchObject({ code: '22012' })
    expect(await db.$count(moulds)).toBe(1)
  })

  test('beside `query`, which runs several statements and returns the parsed rows of the last one', async () => {
    const rows = await postgres.query('CREATE TABLE doors (n int, at timestamptz); SELECT 1 AS n, now() AS at')
    expect(rows).toEqual([{ n: 1, at: expect.any(Date) }])
    expect(await postgres.query('SELECT $1::int8 AS big, $2::jsonb AS j', ['1', { a: 1 }])).toEqual([
      { big: '1', j: { a: 1 } },
    ])
    await expect(postgres.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' })
    await expect(postgres.query('BEGIN; SELECT 1/0')).rejects.toMatchObject({ code: '22012' })
    expect(await postgres.query('SELECT 1 AS n')).toEqual([{ n: 1 }])
  })
})

describe('PGlite’s data', () => {
  test('are kept in a data folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tiebar-postgres-'))
    try {
      const dataDir = join(folder, 'not', 'there', 'yet')
      const first = await startPostgres({ dataDir })
      await first.query("CREATE TABLE kept (t text); INSERT INTO kept VALUES ('still here')")
      await first.close()
      const second = await startPostgres({ dataDir })
      expect(await second.query('SELECT t FROM kept')).toEqual([{ t: 'still here' }])
      expect(second.databaseUrl).not.toBe(first.databaseUrl)
      await second.close()
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('start from a dump, independent of its source', async () => {
    const first = await startPostgres()
    await first.query('CREATE TABLE copied (n int); INSERT INTO copied VALUES (1)')
    const snapshot = await first.dump?.()
    await first.query('INSERT INTO copied VALUES (2)')
    await first.close()
    if (snapshot === undefined) throw new Error('PGlite can dump its data')
    const second = await startPostgres({ snapshot })
    expect(await second.query('SELECT n FROM copied')).toEqual([{ n: 1 }])
    await second.close()
  })
})
