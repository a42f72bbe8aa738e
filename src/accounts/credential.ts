// What a caller sends as Bearer token: the access token of a session, or an API key.
import type { Caller } from '../http/context.ts'
import { keyPrefix, parseKey } from './key.ts'
import type { TokenIssuer } from './token.ts'

/** @returns a function that throws TiebarError `token_invalid` or `key_invalid` */
export function createAccessVerifier(tokens: TokenIssuer): (token: string) => Promise<Caller> {
  return async (token) => {
    if (token.startsWith(keyPrefix)) return parseKey(token)
    const { accountId, sessionId } = await tokens.verify(token, 'access')
    return { kind: 'session', accountId, sessionId }
  }
}
