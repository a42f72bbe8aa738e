// Finds the database of a program: the one that DATABASE_URL names, or else the local platform's.
import { isDatabaseUrl } from '../env.ts'
import { nameLocalFile, type ProcessEnvironment, platformFile, readLocalFile } from './local-platform.ts'
import { UsageError } from './program.ts'
import type { DatabaseAddress } from './statements.ts'

/** @throws UsageError when there is neither */
export function findDatabase(env: ProcessEnvironment): DatabaseAddress {
  const { DATABASE_URL: database_url, NEON_FETCH_ENDPOINT: fetch_endpoint } = env
  if (database_url) {
    if (!isDatabaseUrl(database_url))
      throw new UsageError('DATABASE_URL must be postgresql://USER:PASSWORD@HOST/DATABASE.')
    return { database_url, ...(fetch_endpoint && { fetch_endpoint }) }
  }
  const question = 'Which database? DATABASE_URL is not set'
  return readLocalFile(nameLocalFile(env, 'platform.json'), platformFile.pick({ postgres: true }), question).postgres
}
