// The services that the environment configures. If all variables of a service are set, it is used instead of a stand-in.
import { PlatformError } from './platform-error.ts'

export type PostgresService = { database_url: string; fetch_endpoint: string }
export type RedisService = { url: string; token: string }
export type QStashService = { url: string; token: string; current_signing_key: string; next_signing_key: string }

export type NamedServices = {
  postgres?: PostgresService
  redis?: RedisService
  qstash?: QStashService
}

export type ProcessEnvironment = Record<string, string | undefined>

const postgresNames = { database_url: 'DATABASE_URL', fetch_endpoint: 'NEON_FETCH_ENDPOINT' }
const redisNames = { url: 'UPSTASH_REDIS_REST_URL', token: 'UPSTASH_REDIS_REST_TOKEN' }
const qstashNames = {
  url: 'QSTASH_URL',
  token: 'QSTASH_TOKEN',
  current_signing_key: 'QSTASH_CURRENT_SIGNING_KEY',
  next_signing_key: 'QSTASH_NEXT_SIGNING_KEY',
}

/** An empty variable counts as not set. @throws PlatformError with the missing variables of a service that is set in part */
export function readNamedServices(env: ProcessEnvironment): NamedServices {
  const postgres = readService(env, postgresNames)
  const redis = readService(env, redisNames)
  const qstash = readService(env, qstashNames)
  return { ...(postgres && { postgres }), ...(redis && { redis }), ...(qstash && { qstash }) }
}

function readService<Member extends string>(
  env: ProcessEnvironment,
  names: Record<Member, string>,
): Record<Member, string> | undefined {
  const variables: string[] = Object.values(names)
  const missing = variables.filter((name) => !env[name])
  if (missing.length === variables.length) return undefined
  if (missing.length > 0) {
    const set = variables.filter((name) => env[name])
    throw new PlatformError(
      `${set.join(', ')} ${set.length > 1 ? 'are' : 'is'} set, but not ${missing.join(', ')}. ` +
        `Set all of ${variables.join(', ')}, or none of them to use the stand-in.`,
    )
  }
  const values = Object.entries<string>(names).map(([member, name]) => [member, env[name] ?? ''])
  // It has the members of `names`, each with the value of its variable.
  return Object.fromEntries(values) as Record<Member, string>
}
