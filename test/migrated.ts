// A database with all migrations, made once for all tests that start PGlite with them: a copy takes a second less. Child
// processes get it through the environment.
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { updateDatabase } from '../src/tools/migrations.ts'
import { startPostgres } from './platform/postgres.ts'

const sharedAs = 'MIGRATED_DATABASE'

let reading: Promise<Blob> | undefined

/** For PGlite's start, as `snapshot`; undefined if this process and its parents have not made it. */
export async function openMigrated(): Promise<Blob | undefined> {
  const path = process.env[sharedAs]
  if (path === undefined) return undefined
  reading ??= readFile(path).then((contents) => new Blob([contents]))
  return await reading
}

/** Makes it for this process and its child processes. */
export async function shareMigrated(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'tiebar-migrated-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  const postgres = await startPostgres()
  try {
    await updateDatabase({ database_url: postgres.databaseUrl, fetch_endpoint: postgres.fetchEndpoint })
    const path = join(dir, 'database.tar')
    const dump = await postgres.dump?.()
    if (dump) await writeFile(path, Buffer.from(await dump.arrayBuffer()))
    process.env[sharedAs] = path
  } finally {
    await postgres.close()
  }
}
