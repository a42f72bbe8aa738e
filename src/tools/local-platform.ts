// The files that the local platform writes for other programs.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from './program.ts'

export type ProcessEnvironment = Record<string, string | undefined>

export function nameLocalFile(env: ProcessEnvironment, name: 'platform.json' | 'keys.json'): string {
  return join(env.LOCAL_DIR || '.local', name)
}

/**
 * @param question begins the message, such as `Which database? DATABASE_URL is not set`
 * @throws UsageError when there is no such file, or it is not of this shape
 */
export function readLocalFile<Content>(path: string, shape: z.ZodType<Content>, question: string): Content {
  try {
    return shape.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const what = isMissing ? `there is no ${path}` : `${path} cannot be read`
    throw new UsageError(`${question}, and ${what}: "npm run dev" writes it.`)
  }
}

/** The services in `platform.json`. */
export const platformFile = z.object({
  api: z.string(),
  postgres: z.object({ database_url: z.string(), fetch_endpoint: z.string() }),
  redis: z.object({ url: z.string(), token: z.string() }),
  qstash: z.object({
    url: z.string(),
    token: z.string(),
    current_signing_key: z.string(),
    next_signing_key: z.string(),
  }),
})

/** The Worker's variables. @param keys the content of `keys.json` */
export function toVariables(
  { api, postgres, redis, qstash }: z.infer<typeof platformFile>,
  keys: unknown,
): Record<string, string> {
  return {
    DATABASE_URL: postgres.database_url,
    NEON_FETCH_ENDPOINT: postgres.fetch_endpoint,
    UPSTASH_REDIS_REST_URL: redis.url,
    UPSTASH_REDIS_REST_TOKEN: redis.token,
    QSTASH_URL: qstash.url,
    QSTASH_TOKEN: qstash.token,
    QSTASH_CURRENT_SIGNING_KEY: qstash.current_signing_key,
    QSTASH_NEXT_SIGNING_KEY: qstash.next_signing_key,
    PUBLIC_URL: api,
    JWT_KEYS: JSON.stringify(keys),
  }
}
