// Replies of Redis commands, and their JSON. Redis strings are bytes: inside the stand-in a string has one character per
// byte (latin1), so that lengths are those of Redis.

/** A simple string such as `OK`. Only in Lua it differs from a bulk string. */
export class Status {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Strings have one character per byte. An integer above 2^53 is a bigint, so that no digit is lost. */
export type Reply = string | number | bigint | null | Status | Reply[]

export const OK = new Status('OK')

/** An error of Redis, with Redis' own text. */
export class RedisError extends Error {
  override readonly name = 'RedisError'
}

/** What Redis implements and this stand-in does not: the whole request is refused with 501. */
export class NotImplemented extends Error {
  constructor(what: string) {
    super(what)
    this.name = 'NotImplemented'
  }
}

export const syntaxError = () => new RedisError('ERR syntax error')
export const notAnInteger = () => new RedisError('ERR value is not an integer or out of range')
export const wrongArity = (command: string) => new RedisError(`ERR wrong number of arguments for '${command}' command`)

export const bytesFromText = (text: string) => Buffer.from(text, 'utf8').toString('latin1')

/** Invalid UTF-8 becomes U+FFFD, as in the REST API. */
export const textFromBytes = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8')

/** The JSON of a reply, 64-bit integers with all their digits. Base64 encodes all strings except `OK`. */
export function renderReply(reply: Reply, isBase64: boolean): string {
  if (reply === null) return 'null'
  if (typeof reply === 'number' || typeof reply === 'bigint') return String(reply)
  if (Array.isArray(reply)) return `[${reply.map((item) => renderReply(item, isBase64)).join(',')}]`
  const bytes = reply instanceof Status ? reply.text : reply
  if (!isBase64 || bytes === 'OK') return JSON.stringify(textFromBytes(bytes))
  return JSON.stringify(Buffer.from(bytes, 'latin1').toString('base64'))
}

/** The reply as plain values: text, numbers (bigint above 2^53), null, nested arrays. */
export function plainReply(reply: Reply): unknown {
  if (reply instanceof Status) return textFromBytes(reply.text)
  if (Array.isArray(reply)) return reply.map(plainReply)
  return typeof reply === 'string' ? textFromBytes(reply) : reply
}

/** A number if it is exact, else a bigint. */
export function integerReply(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
