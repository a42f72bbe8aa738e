// Before the first test: a migrated, empty database as a snapshot that every world starts from. To make one takes
// PGlite ten seconds, so it is kept until the migrations or PGlite change.
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { migrate } from './platform/migrate.ts'
import { startPostgres } from './platform/postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the snapshot; empty when the tests run on a real server. */
    databaseSnapshot: string
  }
}

const root = join(import.meta.dirname, '..')
const cacheDir = join(root, 'node_modules/.cache/tiebar')

export default async function setup(project: TestProject): Promise<void> {
  project.provide('databaseSnapshot', process.env.LOCAL_POSTGRES_URL ? '' : await takeSnapshot())
}

async function takeSnapshot(): Promise<string> {
  const path = join(cacheDir, `database-${await fingerprint()}.tar`)
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  if (isThere) return path
  const postgres = await startPostgres()
  try {
    await migrate({ database_url: postgres.databaseUrl, fetch_endpoint: postgres.fetchEndpoint })
    const dump = await postgres.dump?.()
    if (!dump) throw new TypeError('PGlite can always be dumped')
    await mkdir(cacheDir, { recursive: true })
    // Whole or not at all: another run may be doing the same.
    await writeFile(`${path}.${process.pid}`, Buffer.from(await dump.arrayBuffer()))
    await rename(`${path}.${process.pid}`, path)
  } finally {
    await postgres.close()
  }
  return path
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256')
  const migrations = join(root, 'drizzle/migrations')
  const names = (await readdir(migrations)).filter((name) => name.endsWith('.sql')).sort()
  for (const path of names.map((name) => join(migrations, name))) hash.update(await readFile(path))
  hash.update(await readFile(join(root, 'node_modules/@electric-sql/pglite/package.json')))
  return hash.digest('hex').slice(0, 16)
}
