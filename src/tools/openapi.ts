// Writes the OpenAPI document to a file, without a server: `node src/tools/openapi.ts FILE`.
import { generateKeyPairSync } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { createApp } from '../app.ts'
import { readEnvironment, runtimeStandIns } from '../env.ts'
import { type Program, runProgram, UsageError } from './program.ts'

/** The document does not depend on the services, so their variables are placeholders. */
export function describeApi(publicUrl: string): object {
  const key = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'none' }
  const environment = readEnvironment({
    DATABASE_URL: 'postgresql://nobody:nothing@localhost/none',
    UPSTASH_REDIS_REST_URL: 'http://localhost',
    UPSTASH_REDIS_REST_TOKEN: 'not-a-token',
    QSTASH_URL: 'http://localhost',
    QSTASH_TOKEN: 'not-a-token',
    QSTASH_CURRENT_SIGNING_KEY: 'not-a-key',
    QSTASH_NEXT_SIGNING_KEY: 'not-a-key',
    PUBLIC_URL: publicUrl,
    JWT_KEYS: JSON.stringify([key]),
    ...runtimeStandIns,
  })
  if (Array.isArray(environment)) throw new TypeError(`not an environment: ${JSON.stringify(environment)}`)
  return createApp(environment).describe()
}

const usage = 'usage: node src/tools/openapi.ts FILE\n'

const main: Program['main'] = async (args) => {
  const [path, ...rest] = parseArgs({ args, allowPositionals: true }).positionals
  if (path === undefined || rest.length > 0) throw new UsageError('Give one FILE.')
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${JSON.stringify(describeApi('https://tiebar.invalid'), null, 2)}\n`)
  return 0
}

export const program: Program = { usage, main }
if (import.meta.main) await runProgram(program)
