// The files of a run in its folder.
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type LocalFiles = {
  dir: string
  platform: string
  postgres: string
  qstash: string
  keys: string
  wrangler: string
  wranglerLog: string
}

export function nameLocalFiles(dir: string): LocalFiles {
  return {
    dir,
    platform: join(dir, 'platform.json'),
    postgres: join(dir, 'postgres'),
    qstash: join(dir, 'qstash.json'),
    keys: join(dir, 'keys.json'),
    wrangler: join(dir, 'wrangler'),
    wranglerLog: join(dir, 'wrangler.log'),
  }
}

export function writeJson(path: string, value: unknown): Promise<void> {
  return writeWhole(path, `${JSON.stringify(value, null, 2)}\n`)
}

/** Replaces the file atomically. Only its owner can read it, because it has secrets. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  await writeFile(draft, text, { mode: 0o600 })
  await rename(draft, path)
}

/** Deletes the files of earlier runs, and no other files in the folder. */
export async function removeLocalFiles({ dir, ...made }: LocalFiles): Promise<void> {
  for (const path of Object.values(made)) await rm(path, { recursive: true, force: true })
}
