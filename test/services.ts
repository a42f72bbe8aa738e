// `npm run test:services`: all tests that use a service, on a real PostgreSQL and a real Redis, where races show that
// PGlite's one connection hides. Every world creates its own database and key prefix; leftovers are removed and reported
// afterwards. Arguments after `--` are passed to vitest.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Client, escapeIdentifier } from 'pg'

const postgresUrl = process.env.LOCAL_POSTGRES_URL || 'postgresql://postgres@127.0.0.1:5432/postgres'
const redisUrl = process.env.LOCAL_REDIS_URL || 'redis://127.0.0.1:6379'
const projectDir = join(import.meta.dirname, '..')

/** Part of the name of every database and key of this run. */
const run = randomBytes(4).toString('hex')

/** @throws Error that names the server that does not answer, with instructions */
async function connect(): Promise<{ postgres: Client; redis: Redis }> {
  const postgres = new Client({ connectionString: postgresUrl, connectionTimeoutMillis: 3_000 })
  const redis = new Redis(redisUrl, { lazyConnect: true, connectTimeout: 3_000, retryStrategy: () => null })
  redis.on('error', () => {}) // connect() throws it
  const [database, cache] = await Promise.allSettled([postgres.connect(), redis.connect()])
  const silent = [
    ...(database.status === 'rejected' ? [`PostgreSQL at ${withoutPassword(postgresUrl)} (LOCAL_POSTGRES_URL)`] : []),
    ...(cache.status === 'rejected' ? [`Redis at ${withoutPassword(redisUrl)} (LOCAL_REDIS_URL)`] : []),
  ]
  if (silent.length === 0) return { postgres, redis }
  await Promise.allSettled([postgres.end(), redis.disconnect()])
  throw new Error(`${silent.join(' and ')} does not answer. Start it, or name another one; npm test needs neither.`)
}

function withoutPassword(url: string): string {
  const shown = new URL(url)
  shown.password = ''
  return shown.href
}

/** Removes the databases and keys of this run. @returns their names */
async function removeTraces({ postgres, redis }: Awaited<ReturnType<typeof connect>>): Promise<string[]> {
  const { rows } = await postgres.query<{ name: string }>(
    'SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)',
    [`tiebar_${run}_`],
  )
  for (const { name } of rows) {
    await postgres.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`)
  }
  const keys: string[] = []
  for await (const page of redis.scanStream({ match: `tiebar:${run}_*`, count: 1_000 })) keys.push(...page)
  if (keys.length > 0) await redis.unlink(keys)
  return [...rows.map(({ name }) => `database ${name}`), ...keys.map((key) => `key ${key}`)]
}

function runSuite(): Promise<number> {
  const args = ['run', '--config', 'test/vitest.config.ts', ...process.argv.slice(2)]
  const suite = spawn(join(projectDir, 'node_modules/.bin/vitest'), args, {
    cwd: projectDir,
    stdio: 'inherit',
    env: { ...process.env, LOCAL_POSTGRES_URL: postgresUrl, LOCAL_REDIS_URL: redisUrl, TEST_RUN: run },
  })
  return new Promise((resolve, reject) => {
    suite.once('error', reject)
    suite.once('exit', (code) => resolve(code ?? 1))
  })
}

try {
  const servers = await connect()
  process.exitCode = await runSuite()
  const left = await removeTraces(servers)
  await Promise.all([servers.postgres.end(), servers.redis.quit()])
  process.stdout.write(
    left.length === 0
      ? '\nNo database and no key was left behind.\n'
      : `\nLeft behind, now removed: ${left.join(', ')}\n`,
  )
  if (left.length > 0) process.exitCode = 1
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
