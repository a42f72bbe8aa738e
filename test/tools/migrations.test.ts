// `npm run db:migrate`: applies each migration completely and once, and refuses unknown schemas.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { withMigrationLock } from '../../src/tools/migration-lock.ts'
import { migrate, readMigrationState } from '../../src/tools/migrations.ts'
import { findDifferences, setSessionDefault, setSessionDefaults } from '../../src/tools/session-defaults.ts'
import { hasRealPostgres } from '../harness.ts'
import { addressOf, startEmpty, startMigrated } from '../migrated.ts'
import type { Exchange } from '../platform/http.ts'
import type { PostgresStandIn } from '../platform/postgres.ts'
import { runTool } from './programs.ts'

async function use(starting: Promise<PostgresStandIn>) {
  const postgres = await starting
  onTestFinished(() => postgres.close())
  return { postgres, address: addressOf(postgres) }
}

const aDatabase = () => use(startEmpty())
const aMigratedDatabase = () => use(startMigrated())

/** The URL of the database at the real server. */
function urlOf({ database_url }: { database_url: string }): string {
  return new URL(new URL(database_url).pathname, process.env.LOCAL_POSTGRES_URL).href
}

/** The migrations of the project before the one with this name. */
async function aFolderBefore(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tiebar-migrations-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await cp(join(import.meta.dirname, '../../drizzle/migrations'), folder, { recursive: true })
  const path = join(folder, 'meta/_journal.json')
  const journal = JSON.parse(await readFile(path, 'utf8'))
  const index = journal.entries.findIndex(({ tag }: { tag: string }) => tag === name)
  expect(index).toBeGreaterThan(0)
  await writeFile(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, index) }))
  return folder
}

/** The migrations of the project and one more. */
async function aFolder(query: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tiebar-migrations-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await cp(join(import.meta.dirname, '../../drizzle/migrations'), folder, { recursive: true })
  const path = join(folder, 'meta/_journal.json')
  const journal = JSON.parse(await readFile(path, 'utf8'))
  const last = journal.entries.at(-1)
  journal.entries.push({ ...last, idx: last.idx + 1, when: last.when + 1, tag: '9999_next' })
  await writeFile(path, JSON.stringify(journal))
  await writeFile(join(folder, '9999_next.sql'), query)
  return folder
}

test('an empty database is migrated, and a second run does nothing', async () => {
  const { postgres, address } = await aDatabase()
  const applied = await migrate(address)
  expect(applied).toEqual((await readMigrationState(address)).applied)
  expect(applied[0]).toBe('0000_init')
  expect(await migrate(address)).toEqual([])
  expect((await postgres.query("SELECT to_regclass('job_events')::text AS found"))[0]?.found).toBe('job_events')
})

test('a new database has no account', async () => {
  const { postgres, address } = await aDatabase()
  await migrate(address)
  expect(await postgres.query('SELECT username FROM accounts')).toEqual([])
})

test('of several runs at once, each waits for the one before it, and each migration is applied by one of them', async () => {
  const { postgres, address } = await aDatabase()
  const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(address)))
  const state = await readMigrationState(address)
  expect([state.pending, state.unbuilt, applied.flat()]).toEqual([[], [], state.applied])
  expect((await postgres.query('SELECT FROM drizzle.__drizzle_migrations')).length).toBe(state.applied.length)
  expect(await postgres.query('SELECT FROM drizzle.migration_lock')).toEqual([])
})

test('of several runs at once, one sets the session defaults', async () => {
  const { address } = await aMigratedDatabase()
  const set = await Promise.all(Array.from({ length: 4 }, () => setSessionDefaults(address)))
  expect(set.flat().map(({ name }) => name)).toEqual([...new Set(set.flat().map(({ name }) => name))])
  expect(set.flat()).toContainEqual({ name: 'statement_timeout', value: '0', expected: '10s' })
  expect(await findDifferences(address)).toEqual([])
})

describe('the lock of the migrations', () => {
  const hold = (seconds: number) => `
    INSERT INTO drizzle.migration_lock (run, ends_at)
    VALUES ('00000000-0000-4000-8000-000000000000', clock_timestamp() + interval '${seconds} s')`

  test('is renewed while its holder works, and released when the work fails', async () => {
    const { postgres, address } = await aMigratedDatabase()
    const readEnd = async () => (await postgres.query('SELECT ends_at::text FROM drizzle.migration_lock'))[0]?.ends_at
    const working = withMigrationLock(address, async () => {
      const first = await readEnd()
      await expect.poll(readEnd, { timeout: 60_000 }).not.toBe(first)
      throw new Error('the work fails')
    })
    await expect(working).rejects.toThrow('the work fails')
    expect(await readEnd()).toBeUndefined()
  })

  test('is waited for until it is released', async () => {
    let tries = 0
    const onExchange = ({ request }: Exchange) => {
      if (String(request.body).includes('migration_lock AS held')) tries += 1
    }
    const { postgres, address } = await use(startMigrated({ onExchange }))
    await postgres.query(hold(3_600))
    let isDone = false
    const waiting = migrate(address, await aFolder('CREATE TABLE next ()')).finally(() => {
      isDone = true
    })
    await expect.poll(() => tries, { timeout: 60_000 }).toBeGreaterThan(2)
    expect(isDone).toBe(false)
    await postgres.query('DELETE FROM drizzle.migration_lock')
    expect(await waiting).toEqual(['9999_next'])
  })

  test('ends by itself after a run that was killed', async () => {
    const { postgres, address } = await aMigratedDatabase()
    await postgres.query(hold(1))
    expect(await migrate(address, await aFolder('CREATE TABLE next ()'))).toEqual(['9999_next'])
    expect(await postgres.query('SELECT FROM drizzle.migration_lock')).toEqual([])
  })
})

test('a failed migration is rolled back with the error of the database, and is applied after it is fixed', async () => {
  const { postgres, address } = await aMigratedDatabase()
  const broken = await aFolder('CREATE TABLE next ();--> statement-breakpoint\nSELECT 1 / 0')
  await expect(migrate(address, broken)).rejects.toThrow('division by zero (22012)')
  expect(await postgres.query("SELECT to_regclass('next')::text AS found")).toEqual([{ found: null }])
  expect((await readMigrationState(address, broken)).pending.map(({ name }) => name)).toEqual(['9999_next'])
  expect(await migrate(address, await aFolder('CREATE TABLE next ()'))).toEqual(['9999_next'])
})

describe('an index that is built CONCURRENTLY', () => {
  const unique = 'CREATE UNIQUE INDEX CONCURRENTLY "next_n" ON "next" USING btree ("n")'
  const isValid = `SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('next_n')`

  test('follows the other statements of its migration, also when two runs are simultaneous', async () => {
    const { postgres, address } = await aMigratedDatabase()
    const folder = await aFolder(`${unique};--> statement-breakpoint\nCREATE TABLE next (n int)`)
    await Promise.all([migrate(address, folder), migrate(address, folder)])
    expect(await postgres.query(isValid)).toEqual([{ indisvalid: true }])
    expect(await readMigrationState(address, folder)).toMatchObject({ pending: [], unbuilt: [] })
  })

  test('is built again by the next run when it was interrupted', async () => {
    const { postgres, address } = await aMigratedDatabase()
    const folder = await aFolder(
      `CREATE TABLE next (n int);--> statement-breakpoint\nINSERT INTO next VALUES (1), (1);--> statement-breakpoint\n${unique}`,
    )
    const failing = migrate(address, folder)
    await expect(failing).rejects.toThrow('The index next_n was not built: the database said: could not create unique')
    await expect(failing).rejects.toThrow(`psql, and then run npm run db:migrate: ${unique};`)
    expect(await postgres.query(isValid)).toEqual([{ indisvalid: false }])
    expect((await readMigrationState(address, folder)).unbuilt).toMatchObject([{ name: 'next_n' }])
    await expect(migrate(address, folder)).rejects.toThrow('The index next_n was not built')
    await postgres.query('DELETE FROM next')
    expect(await migrate(address, folder)).toEqual(['next_n'])
    expect(await postgres.query(isValid)).toEqual([{ indisvalid: true }])
    expect(await migrate(address, folder)).toEqual([])
  })

  test('may take longer than the session’s statement_timeout, which is kept', async () => {
    const { postgres, address } = await aMigratedDatabase()
    const folder = await aFolder(
      `CREATE TABLE next AS SELECT generate_series(1, 300000) AS n;--> statement-breakpoint\n${unique}`,
    )
    await setSessionDefault(address, 'statement_timeout', '50ms')
    await migrate(address, folder)
    expect(await postgres.query(isValid)).toEqual([{ indisvalid: true }])
    expect(await findDifferences(address, { statement_timeout: '50ms' })).toEqual([])
  })
})

test('a new index on a table of an earlier migration is built CONCURRENTLY', async () => {
  const folder = join(import.meta.dirname, '../../drizzle/migrations')
  const files = (await readdir(folder))
    .filter((name) => name.endsWith('.sql') && name > '0004_sequence_and_confirmation.sql')
    .sort()
  const blocking = await Promise.all(
    files.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8')
      const created = [...text.matchAll(/CREATE TABLE "(\w+)"/g)].map(([, table]) => table)
      const indexes = [...text.matchAll(/CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)"(\w+)" ON "(\w+)"/g)]
      return indexes.filter(([, , table]) => !created.includes(table)).map(([, index]) => `${name}: ${index}`)
    }),
  )
  expect(blocking.flat()).toEqual([]) // add .concurrently() in the table, and generate the migration again
})

test.skipIf(!hasRealPostgres)(
  'a migration gives up when a lock is not available, and is applied by the next run',
  async () => {
    const { postgres, address } = await aMigratedDatabase()
    const folder = await aFolder('CREATE TABLE next ();--> statement-breakpoint\nALTER TABLE jobs ADD COLUMN next int')
    const other = new Client(urlOf(address))
    await other.connect()
    await other.query('BEGIN; SELECT FROM jobs')
    const waiting = migrate(address, folder)
    await expect(waiting).rejects.toThrow(
      'Migration 9999_next was not applied, and nothing of it is left: it waited 3s',
    )
    expect(await postgres.query("SELECT to_regclass('next') AS found")).toEqual([{ found: null }])
    await other.end()
    expect(await migrate(address, folder)).toEqual(['9999_next'])
  },
)

test('a machine from before the history of statuses begins it with its status', async () => {
  const { postgres, address } = await aDatabase()
  await migrate(address, await aFolderBefore('0021_statuses'))
  await postgres.query(
    "INSERT INTO accounts (username, username_key, password_hash, email) VALUES ('minji', 'minji', '-', '')",
  )
  await postgres.query(
    `INSERT INTO machines (name, location, owner_id, status, status_source, status_at)
      SELECT 'Machine', 'Hall 1', id, 'RUNNING', 'report', '2026-01-01T00:00:00Z' FROM accounts`,
  )
  await migrate(address)
  expect(
    await postgres.query("SELECT status, source, at = '2026-01-01T00:00:00Z' AS is_same FROM machine_statuses"),
  ).toEqual([{ status: 'RUNNING', source: 'report', is_same: true }])
})

test.skipIf(!hasRealPostgres)('a migration that a deadlock has rolled back is applied after it', async () => {
  const { postgres, address } = await aMigratedDatabase()
  const folder = await aFolder(
    'ALTER TABLE jobs ADD COLUMN next int;--> statement-breakpoint\nALTER TABLE sites ADD COLUMN next int',
  )
  const other = new Client(urlOf(address))
  onTestFinished(() => other.end())
  await other.connect()
  // It waits without looking for a deadlock, so the migration is the one that finds it.
  await other.query("SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE sites")
  const migrating = migrate(address, folder)
  const isWaiting = async () =>
    (await postgres.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'sites'::regclass")).length > 0
  await expect.poll(isWaiting, { timeout: 60_000, interval: 20 }).toBe(true)
  await other.query('LOCK TABLE jobs')
  await other.query('COMMIT')
  expect(await migrating).toEqual(['9999_next'])
  expect(await postgres.query('SELECT jobs.next, sites.next FROM jobs, sites')).toEqual([])
})

test('a database with tables of another origin is not changed, and the tables are named', async () => {
  const { postgres, address } = await aDatabase()
  await postgres.query('CREATE TABLE accounts (id int)')
  await expect(migrate(address)).rejects.toThrow('tables that no migration has made: accounts')
  expect(await postgres.query("SELECT to_regclass('sessions')::text AS found")).toEqual([{ found: null }])
})

test('a database of a newer version is not changed', async () => {
  const { address } = await aMigratedDatabase()
  await migrate(address, await aFolder('CREATE TABLE next ()'))
  await expect(migrate(address)).rejects.toThrow('Another or a newer version has applied it')
})

test('the program prints what it did, and exits with 1 for an unknown schema', async () => {
  const { postgres, address } = await aDatabase()
  const env = { DATABASE_URL: address.database_url, NEON_FETCH_ENDPOINT: address.fetch_endpoint }
  const done = await runTool('db-migrate', [], { env })
  expect(done).toMatchObject({ code: 0, stderr: '' })
  expect(done.stdout).toMatch(/^applied {2}0000_init\n(.*\n)*The database is at \d{4}_\w+\.\n$/)
  await postgres.query('UPDATE drizzle.__drizzle_migrations SET hash = $1 WHERE id = 1', ['strange'])
  const refused = await runTool('db-migrate', [], { env })
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is not in this checkout')])
})

test('a PostgreSQL URL that is not from Neon is refused with instructions and without the password', async () => {
  const DATABASE_URL = 'postgresql://postgres:secret@localhost:1/tiebar'
  const { code, stderr } = await runTool('db-migrate', [], { env: { DATABASE_URL } })
  expect(code).toBe(1)
  expect(stderr).toContain('the database endpoint of localhost cannot be reached. DATABASE_URL is not Neon')
  expect(stderr).toContain('Set NEON_FETCH_ENDPOINT')
  expect(stderr).not.toContain('secret')
})

test('the tables of the code need no migration that is not there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tiebar-migrations-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const root = join(import.meta.dirname, '../..')
  await cp(join(root, 'drizzle/migrations'), folder, { recursive: true })
  const before = await readdir(folder)
  const kit = join(root, 'node_modules/.bin/drizzle-kit')
  const tables = ['--dialect', 'postgresql', '--schema', './src/**/*.table.ts', '--out', relative(root, folder)]
  const { stdout } = await promisify(execFile)(kit, ['generate', ...tables], { cwd: root })
  expect(stdout).toMatch(/^jobs \d+ columns/m) // it has found the tables
  expect(await readdir(folder)).toEqual(before)
})
