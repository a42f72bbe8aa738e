// The size of the bundle and its limit.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { WorkerBuild } from './build.ts'

/** Bytes, gzipped. The packages are about 170 KiB of it, and Neon's driver alone 46. */
export const bundleCeiling = 256 * 1024

/** Bytes of the bundle, gzipped. */
export async function gzipSize({ dir }: WorkerBuild): Promise<number> {
  return (await promisify(gzip)(await readFile(join(dir, 'worker.js')), { level: 9 })).length
}
