// The size of the bundle and its limit.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { WorkerBuild } from './build.ts'

/** Bytes, gzipped. */
export const bundleCeiling = 208 * 1024

/** Bytes of the bundle, gzipped. */
export async function gzipSize({ dir }: WorkerBuild): Promise<number> {
  return (await promisify(gzip)(await readFile(join(dir, 'worker.js')), { level: 9 })).length
}
