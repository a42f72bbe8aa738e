// Which database a program of ours works on: the one that the environment names, or the local platform's.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

export type NamedDatabase = { databaseUrl: string; fetchEndpoint?: string }

/** What the person at the keyboard can put right. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const platformFile = z.object({ postgres: z.object({ database_url: z.string(), fetch_endpoint: z.string() }) })

/** @throws UsageError when neither names one */
export function findDatabase(env: Record<string, string | undefined>): NamedDatabase {
  if (env.DATABASE_URL) {
    if (!/^postgres(ql)?:\/\//.test(env.DATABASE_URL)) throw new UsageError('DATABASE_URL must be a postgresql:// URL.')
    return { databaseUrl: env.DATABASE_URL, ...(env.NEON_FETCH_ENDPOINT && { fetchEndpoint: env.NEON_FETCH_ENDPOINT }) }
  }
  const path = join(env.LOCAL_DIR || '.local', 'platform.json')
  const { postgres } = readPlatformFile(path)
  return { databaseUrl: postgres.database_url, fetchEndpoint: postgres.fetch_endpoint }
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
