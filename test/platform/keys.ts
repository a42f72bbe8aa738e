// The key that signs the local Worker's tokens: made once and kept, so that a restart signs nobody out.
import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { calculateJwkThumbprint } from 'jose'
import { z } from 'zod'
import { writeJson } from './local-files.ts'
import { PlatformError } from './platform-error.ts'

const keysSchema = z
  .array(z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), kid: z.string(), x: z.string(), d: z.string() }))
  .min(1)
  .max(2)

/** Private Ed25519 JWKs (RFC 8037), each named by its thumbprint (RFC 7638). */
export type SigningKeys = z.output<typeof keysSchema>

/** @throws PlatformError when the file is there but is not what it should be. */
export async function loadSigningKeys(path: string): Promise<SigningKeys> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return await makeSigningKeys(path)
  try {
    return keysSchema.parse(JSON.parse(text))
  } catch {
    throw new PlatformError(`${path} does not hold signing keys. Remove it to have new ones made.`)
  }
}

async function makeSigningKeys(path: string): Promise<SigningKeys> {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const keys = keysSchema.parse([{ ...jwk, kid: await calculateJwkThumbprint(jwk) }])
  await writeJson(path, keys)
  return keys
}
