// Request bodies: JSON in UTF-8 only, at most 64 KiB, read once. What the JSON says is for the schemas.
import { createMiddleware } from 'hono/factory'
import { TiebarError } from '../../kernel/error.ts'
import type { AppContext, AppEnv } from '../context.ts'

export type BodyOptions = {
  /** Bytes. */
  maxSize?: number
  /** A request without a body then counts as one with an empty object. */
  isOptional?: boolean
}

/**
 * Reads the body as JSON before any validation. An optional body that is empty is absent, whatever the headers say.
 * @throws TiebarError `unsupported_media_type`, `body_too_large`, `malformed_json`
 */
export function jsonBody({ maxSize = 64 * 1024, isOptional = false }: BodyOptions = {}) {
  if (!Number.isInteger(maxSize) || maxSize < 1) throw new TypeError('maxSize must be a positive number of bytes')
  return createMiddleware<AppEnv>(async function jsonBody(c, next) {
    const bytes = await readAtMost(c.req.raw, maxSize)
    c.set('rawBody', bytes)
    const isAbsent = isOptional && bytes.byteLength === 0
    if (!isAbsent) checkFormat(c)
    const text = isAbsent ? '{}' : readJson(bytes)
    nameJson(c)
    // Hono's own cache of what the body holds: its validators read the text, and find it there.
    c.req.bodyCache.text = Promise.resolve(text) as never // typed as the text, holds its promise
    await next()
  })
}

/** @throws TiebarError `unsupported_media_type` for what the headers say of a body that we do not take */
function checkFormat(c: AppContext): void {
  const coding = c.req.header('Content-Encoding')?.trim().toLowerCase() ?? ''
  if (coding !== '' && coding !== 'identity') {
    // Bodies are small: compressed ones would save nothing and need a second limit.
    c.header('Accept-Encoding', 'identity') // RFC 9110 §15.5.16
    throw unsupported(`Send the body as it is, without Content-Encoding: ${coding}.`)
  }
  const { type, charset } = readContentType(c.req.header('Content-Type') ?? '')
  if (type === 'application/json-patch+json') {
    throw unsupported(
      'A JSON Patch (RFC 6902) is not taken. Send the members themselves as application/json or, to PATCH, as application/merge-patch+json (RFC 7396).',
    )
  }
  if (!/^application\/([\w!#$&^.+-]+\+)?json$/.test(type)) {
    throw unsupported('Send the body as JSON, with Content-Type: application/json.')
  }
  // RFC 8259 §8.1 knows no other.
  if (charset !== undefined && !/^utf-?8$/.test(charset)) {
    throw unsupported(`Send UTF-8: JSON has no charset=${charset}.`)
  }
}

function unsupported(detail: string): TiebarError {
  return new TiebarError('unsupported_media_type', detail)
}

/** However it is spelt: in any case, with spaces, with parameters that mean nothing here, with a `;` at the end. */
function readContentType(header: string): { type: string; charset: string | undefined } {
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => /^charset\s*=/.test(parameter))
  return { type, charset: charset?.replace(/^charset\s*=\s*/, '').replaceAll('"', '') }
}

/** What was read as JSON is JSON from here on: each library behind us has a pattern of its own for this header. */
function nameJson(c: AppContext): void {
  const { raw } = c.req
  if (raw.headers.get('Content-Type') === 'application/json') return
  const headers = new Headers(raw.headers)
  headers.set('Content-Type', 'application/json')
  c.req.raw = new Request(raw.url, { method: raw.method, headers }) // its body has been read
}

/** @throws TiebarError `body_too_large` as soon as there is one byte too many */
export async function readAtMost(request: Request | Response, maxSize: number): Promise<Uint8Array> {
  const declared = request.headers.get('Content-Length')
  if (Number(declared) > maxSize) {
    await request.body?.cancel() // else the connection is held for what nobody reads
    throw tooLarge(maxSize)
  }
  // A request has as many bytes as it says, unless it comes in chunks; an answer may be compressed, and then has more.
  const isSized = request instanceof Request && declared !== null && !request.headers.has('Transfer-Encoding')
  if (isSized) return new Uint8Array(await request.arrayBuffer())
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > maxSize) throw tooLarge(maxSize)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(maxSize: number): TiebarError {
  return new TiebarError('body_too_large', `The body may have at most ${maxSize} bytes.`)
}

/** @returns the text, which is JSON. @throws TiebarError `malformed_json`, without what the parser says: it quotes the body, which can have a password */
function readJson(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) throw malformed('The body is empty; a JSON object is needed.')
  const text = decodeUtf8(bytes)
  if (text === undefined) throw malformed('The body is not UTF-8. Send the text in UTF-8.')
  try {
    JSON.parse(text)
    return text
  } catch {
    throw malformed('The body is not valid JSON.')
  }
}

function malformed(detail: string): TiebarError {
  return new TiebarError('malformed_json', detail)
}

/** Undefined for another encoding. JSON has NUL as an escape only, so a byte of zero is one of UTF-16 or UTF-32. */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    return undefined
  }
}
