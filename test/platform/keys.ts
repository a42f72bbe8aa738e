// The signing key for the local Worker's tokens: created once and kept, so that tokens stay valid after a restart.
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

/** Private Ed25519 JWKs (RFC 8037), each identified by its thumbprint (RFC 7638). */
export type SigningKeys = z.output<typeof keysSchema>

/** @throws PlatformError if the file exists and is invalid */
export async function loadSigningKeys(path: string): Promise<SigningKeys> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return await makeSigningKeys(path)
  try {
    return keysSchema.parse(JSON.parse(text))
  } catch {
    throw new PlatformError(`${path} does not hold signing keys. Delete it, and new keys are created.`)
  }
}

async function makeSigningKeys(path: string): Promise<SigningKeys> {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const keys = keysSchema.parse([{ ...jwk, kid: await calculateJwkThumbprint(jwk) }])
  await writeJson(path, keys)
  return keys
}
