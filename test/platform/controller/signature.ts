// Verifies that Tiebar signed a request for this machine and that the body is the signed one.
import { createHash } from 'node:crypto'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import type { StandInRequest } from '../http.ts'

/** The keys could not be loaded: no answer, another status than 200, or another content. */
const missingKeys = [errors.JWKSTimeout.code, errors.JWKSInvalid.code, errors.JOSEError.code]

export type CommandVerifier = (request: StandInRequest) => Promise<boolean>

/** @returns a function that makes the verifier for the URL of a machine */
export function commandVerifiers(tiebarUrl: string | undefined): (machineUrl: string) => CommandVerifier {
  if (tiebarUrl === undefined) return () => async () => true
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', tiebarUrl))
  return (audience) =>
    async ({ headers, body }) => {
      const token = headers.authorization?.replace(/^Bearer /i, '') ?? ''
      try {
        const { payload } = await jwtVerify(token, keys, { issuer: tiebarUrl, audience, algorithms: ['EdDSA'] })
        const { machine_id, sequence } = JSON.parse(body.toString())
        const isSameBody = payload.body_sha256 === createHash('sha256').update(body).digest('base64url')
        return isSameBody && payload.machine === machine_id && payload.sequence === sequence
      } catch (error) {
        if (error instanceof errors.JOSEError && !missingKeys.includes(error.code)) return false
        throw error // without the keys, the signature is unknown
      }
    }
}
