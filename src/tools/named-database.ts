// Which database a program of ours works on: the one that the environment names, or the local platform's.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { isDatabaseUrl } from '../env.ts'
import { UsageError } from './program.ts'
import type { DatabaseAddress } from './statements.ts'

const platformFile = z.object({ postgres: z.object({ database_url: z.string(), fetch_endpoint: z.string() }) })

/** @throws UsageError when neither names one */
export function findDatabase(env: Record<string, string | undefined>): DatabaseAddress {
  const { DATABASE_URL: database_url, NEON_FETCH_ENDPOINT: fetch_endpoint } = env
  if (database_url) {
    if (!isDatabaseUrl(database_url))
      throw new UsageError('DATABASE_URL must be postgresql://USER:PASSWORD@HOST/DATABASE.')
    return { database_url, ...(fetch_endpoint && { fetch_endpoint }) }
  }
  return readPlatformFile(join(env.LOCAL_DIR || '.local', 'platform.json')).postgres
}

function readPlatformFile(path: string): z.infer<typeof platformFile> {
  try {
    return platformFile.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const what = isMissing ? `there is no ${path}` : `${path} cannot be read`
    throw new UsageError(`Which database? DATABASE_URL is not set, and ${what}: "npm run dev" writes it.`)
  }
}
