// Databases for PGlite's `loadDataDir`, kept in node_modules: a copy takes less time than to create one.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const modules = join(import.meta.dirname, '../../../node_modules')
const cacheDir = join(modules, '.cache/tiebar')

/** The name of the database's files depends on the version of PGlite. */
export async function readPgliteVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(modules, '@electric-sql/pglite/package.json'), 'utf8'))
  return version
}

/** A Blob reads its parts in slices and joins them, which takes as long as the rest of a start. This copies its bytes at once. */
class KeptDatabase extends Blob {
  readonly #bytes: Uint8Array<ArrayBuffer>

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    super([])
    this.#bytes = bytes
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer
  }
}

/** The database that was kept under this name; otherwise makes and keeps it. */
export async function openCached(name: string, make: () => Promise<Blob>): Promise<Blob> {
  const path = join(cacheDir, `${name}.tar`)
  const kept = await readFile(path).catch(() => undefined)
  if (kept) return new KeptDatabase(new Uint8Array(kept.buffer))
  const made = await make()
  await keep(path, made)
  return made
}

/** Renames a complete file, because other processes may do the same. If the folder is not writable, the next start is slow. */
async function keep(path: string, database: Blob): Promise<void> {
  const draft = `${path}.${process.pid}`
  try {
    await mkdir(cacheDir, { recursive: true })
    await writeFile(draft, Buffer.from(await database.arrayBuffer()))
    await rename(draft, path)
  } catch (error) {
    console.warn(`cannot cache a database in ${cacheDir}: ${error}`)
  }
}
