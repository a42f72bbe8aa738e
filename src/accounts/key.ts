// API keys: their form, and the form in which they are compared.
import { randomBytes } from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { v7 as uuidv7 } from 'uuid'
import type { KeyCaller } from '../http/context.ts'
import { TiebarError } from '../kernel/error.ts'

/** At the start of every key. No access token has it: they begin with `eyJ`. */
export const keyPrefix = 'tbk_'
const secretBytes = 32
const form = /^tbk_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_[\w-]{43}$/

/** `secret` is the whole key. It is shown once, to the account that creates it. */
export type NewSecret = { id: string; secret: string; secretHash: string }

export function makeSecret(): NewSecret {
  const id = uuidv7()
  const secret = `${keyPrefix}${id}_${randomBytes(secretBytes).toString('base64url')}`
  return { id, secret, secretHash: hashOf(secret) }
}

/**
 * Reads a key as it was sent. PostgreSQL checks whether it is valid.
 * @returns a caller without any scope
 * @throws TiebarError `key_invalid` for a text that does not have the form of a key
 */
export function parseKey(text: string): KeyCaller {
  const [, keyId] = form.exec(text) ?? []
  if (keyId === undefined) throw new TiebarError('key_invalid', keyRefusals.unknown)
  return { kind: 'key', keyId, secretHash: hashOf(text), scopes: [] }
}

/**
 * One round of SHA-256 is enough for 256 random bits, which nobody can guess. For the same reason, PostgreSQL may compare
 * hashes with `=`: its time could at most reveal a part of the stored hash, from which no key can be computed. Each
 * report of a machine computes one: for so short a text, this library is faster than `createHash`, which makes a stream.
 */
function hashOf(secret: string): string {
  return bytesToHex(sha256(utf8ToBytes(secret)))
}

/** Why a key is not valid. Only a client that sent the whole key is told more than `unknown`. */
export const keyRefusals = {
  unknown: 'There is no such key. A key has the form tbk_ID_SECRET.',
  revoked: 'The key has been revoked.',
  expired: 'The key has expired.',
  disabled: 'The account that created the key is disabled.',
} as const
export type KeyRefusal = keyof typeof keyRefusals
