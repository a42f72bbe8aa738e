// A new, empty database. PGlite takes ten seconds to create one and one second to copy one, so the first is kept in a cache
// in node_modules, for this version of PGlite.
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'

const modules = join(import.meta.dirname, '../../../node_modules')
const cacheDir = join(modules, '.cache/tiebar')

/** Whether PGlite would have to create a database in this folder. */
export async function isBlank(dataDir: string | undefined): Promise<boolean> {
  return dataDir === undefined || (await readdir(dataDir)).length === 0
}

/** An empty database, for PGlite's `loadDataDir`. */
export async function openBlank(): Promise<Blob> {
  const { version } = JSON.parse(await readFile(join(modules, '@electric-sql/pglite/package.json'), 'utf8'))
  const path = join(cacheDir, `pglite-${version}.tar`)
  const kept = await readFile(path).catch(() => undefined)
  if (kept) return new Blob([kept])
  const blank = await makeBlank()
  await keep(path, blank)
  return blank
}

async function makeBlank(): Promise<Blob> {
  const db = await PGlite.create()
  try {
    return await db.dumpDataDir('none')
  } finally {
    await db.close()
  }
}

/** Renames a complete file, because other processes may do the same. If the folder is not writable, the next start is slow. */
async function keep(path: string, blank: Blob): Promise<void> {
  const draft = `${path}.${process.pid}`
  try {
    await mkdir(cacheDir, { recursive: true })
    await writeFile(draft, Buffer.from(await blank.arrayBuffer()))
    await rename(draft, path)
  } catch (error) {
    console.warn(`cannot cache an empty database in ${cacheDir}: ${error}`)
  }
}
