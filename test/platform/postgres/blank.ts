// A database as initdb leaves it. PGlite takes ten seconds to make one and one to copy one, so the first is kept for all
// others, beside the packages, until PGlite changes.
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'

const modules = join(import.meta.dirname, '../../../node_modules')
const cacheDir = join(modules, '.cache/tiebar')

/** Whether PGlite would have to make a database in this folder. */
export async function isBlank(dataDir: string | undefined): Promise<boolean> {
  return dataDir === undefined || (await readdir(dataDir)).length === 0
}

/** What PGlite loads as a blank database. */
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

/** Whole or not at all, since others may be doing the same. A folder that cannot be written costs time and nothing else. */
async function keep(path: string, blank: Blob): Promise<void> {
  const draft = `${path}.${process.pid}`
  try {
    await mkdir(cacheDir, { recursive: true })
    await writeFile(draft, Buffer.from(await blank.arrayBuffer()))
    await rename(draft, path)
  } catch (error) {
    console.warn(`a blank database could not be kept in ${cacheDir}: ${error}`)
  }
}
