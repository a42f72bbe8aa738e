// Our tokens: EdDSA JWTs (RFC 7519, RFC 8037). `aud` and `token_type` define the use of a token. PostgreSQL decides
// whether its session is still active.
import { type CryptoKey, errors, importJWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { validate } from 'uuid'
import type { SigningKey } from '../env.ts'
import { BoundedCache } from '../kernel/bounded-cache.ts'
import { TiebarError } from '../kernel/error.ts'

const accessSeconds = 30 * 60
export const refreshSeconds = 24 * 60 * 60
/** A session ends this long after the log-in, however often it is refreshed. */
export const sessionDays = 30

export type TokenPair = {
  access: string
  refresh: string
  token_type: 'Bearer'
  expires_in: number
}
type TokenType = 'access' | 'refresh'
/** `tokenId` is the token's `jti`. */
export type TokenClaims = {
  accountId: number
  sessionId: string
  tokenId: string
}

export type TokenIssuer = {
  /** Signs both tokens of a session. `refreshId` is the `jti` that the session row holds. */
  issuePair(claims: { accountId: number; sessionId: string; refreshId: string }): Promise<TokenPair>
  /** @throws TiebarError `token_invalid` */
  verify(token: string, type: TokenType): Promise<TokenClaims>
  /** Signs a token for another audience: the URL of a controller, `machine:` and an id, or `outcome`. */
  sign(claims: JWTPayload, audience: string, lifetimeSeconds: number): Promise<string>
  /** @throws TiebarError `token_invalid` */
  verifyFor(token: string, audience: string): Promise<JWTPayload>
  /** The public keys as a JWK set (RFC 7517 §5). */
  publicKeys(): { keys: PublicKey[] }
}

export type PublicKey = {
  kty: 'OKP'
  crv: 'Ed25519'
  kid: string
  x: string
  use: 'sig'
  alg: 'EdDSA'
}

const apiAudience = 'api'
const clockToleranceSeconds = 5

/** How many verified access tokens an isolate caches. A token has about 500 bytes. */
const maxCachedTokens = 1_000

/**
 * @param keys the first key signs, and all keys verify, so that keys can be rotated without ending sessions
 * @throws TypeError if there is no key
 */
export function createTokenIssuer(keys: SigningKey[], issuer: string): TokenIssuer {
  const [signer] = keys
  if (!signer) throw new TypeError('at least one signing key is needed')
  // Each key is imported once per isolate, at its first use.
  const imported = new Map<string, Promise<CryptoKey>>()
  const importOnce = (name: string, jwk: Partial<SigningKey>) => {
    const known = imported.get(name) ?? (importJWK(jwk, 'EdDSA') as Promise<CryptoKey>) // bytes are only returned for a symmetric key
    imported.set(name, known)
    return known
  }

  // A client sends the same access token for 30 minutes, so its signature is verified once. Its expiry is checked each
  // time, and PostgreSQL checks its session.
  const verifiedTokens = new BoundedCache<{ claims: TokenClaims; expiresAt: number }>(maxCachedTokens)
  const findVerified = (token: string) => {
    const known = verifiedTokens.get(token)
    return known && known.expiresAt > Math.floor(Date.now() / 1000) - clockToleranceSeconds ? known.claims : undefined
  }

  async function sign(claims: JWTPayload, audience: string, lifetimeSeconds: number): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', kid: signer?.kid ?? '', typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + lifetimeSeconds)
      .sign(await importOnce(`private ${signer?.kid}`, signer ?? {}))
  }

  async function verifyFor(token: string, audience: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const key = keys.find((candidate) => candidate.kid === kid)
          if (!key) throw new errors.JWKSNoMatchingKey()
          return importOnce(`public ${key.kid}`, {
            kty: key.kty,
            crv: key.crv,
            x: key.x,
          })
        },
        {
          algorithms: ['EdDSA'],
          issuer,
          audience,
          typ: 'JWT',
          requiredClaims: ['sub', 'iat', 'exp'],
          clockTolerance: clockToleranceSeconds,
        },
      )
      return payload
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
      const detail =
        error instanceof errors.JWTExpired ? 'The token has expired. Refresh it.' : 'The token is not valid.'
      throw new TiebarError('token_invalid', detail, {}, { cause: error })
    }
  }

  return {
    sign,
    verifyFor,
    async issuePair({ accountId, sessionId, refreshId }) {
      const claims = { sub: String(accountId), sid: sessionId }
      const [access, refresh] = await Promise.all([
        sign({ ...claims, jti: crypto.randomUUID(), token_type: 'access' }, apiAudience, accessSeconds),
        sign({ ...claims, jti: refreshId, token_type: 'refresh' }, apiAudience, refreshSeconds),
      ])
      return {
        access,
        refresh,
        token_type: 'Bearer',
        expires_in: accessSeconds,
      }
    },
    async verify(token, type) {
      const known = type === 'access' ? findVerified(token) : undefined
      if (known) return known
      const { sub, sid, jti, exp = 0, token_type } = await verifyFor(token, apiAudience)
      const accountId = Number(sub)
      const isValid = Number.isSafeInteger(accountId) && isUuid(sid) && isUuid(jti)
      if (!isValid || token_type !== type) {
        throw new TiebarError('token_invalid', `This is not ${type === 'access' ? 'an access' : 'a refresh'} token.`)
      }
      const claims = { accountId, sessionId: sid, tokenId: jti }
      if (type === 'access') verifiedTokens.set(token, { claims, expiresAt: exp })
      return claims
    },
    publicKeys: () => ({
      keys: keys.map(({ kty, crv, kid, x }) => ({
        kty,
        crv,
        kid,
        x,
        use: 'sig',
        alg: 'EdDSA',
      })),
    }),
  }
}

function isUuid(claim: unknown): claim is string {
  return validate(claim)
}
