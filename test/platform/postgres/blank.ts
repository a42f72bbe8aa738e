// A new, empty database. PGlite takes ten seconds to create one and one second to copy one.
import { readdir } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import { openCached, readPgliteVersion } from './cache.ts'

/** Whether PGlite would have to create a database in this folder. */
export async function isBlank(dataDir: string | undefined): Promise<boolean> {
  return dataDir === undefined || (await readdir(dataDir)).length === 0
}

/** An empty database, for PGlite's `loadDataDir`. */
export async function openBlank(): Promise<Blob> {
  return await openCached(`pglite-${await readPgliteVersion()}`, makeBlank)
}

async function makeBlank(): Promise<Blob> {
  const db = await PGlite.create()
  try {
    return await db.dumpDataDir('none')
  } finally {
    await db.close()
  }
}
