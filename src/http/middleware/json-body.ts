// Request bodies: JSON in UTF-8 only, at most 64 KiB, read once. The schemas validate the content.
import { createMiddleware } from 'hono/factory'
import { TiebarError } from '../../kernel/error.ts'
import type { AppContext, AppEnv } from '../context.ts'

export type BodyOptions = {
  /** Bytes. */
  maxSize?: number
  /** Treats a request without a body like one with an empty object. */
  isOptional?: boolean
  /**
   * Reads the body as JSON text, whatever format the headers declare; undefined if it is not JSON. For the bodies that
   * controllers send.
   */
  read?: (bytes: Uint8Array, contentType: string | null) => string | undefined
}

/**
 * Reads the body as JSON before any validation. An empty optional body counts as absent, whatever the headers are.
 * The middleware throws TiebarError `unsupported_media_type`, `body_too_large` or `malformed_json`.
 * @throws TypeError for a bad `maxSize`
 */
export function jsonBody({ maxSize = 64 * 1024, isOptional = false, read }: BodyOptions = {}) {
  if (!Number.isInteger(maxSize) || maxSize < 1) throw new TypeError('maxSize must be a positive number of bytes')
  return createMiddleware<AppEnv>(async function jsonBody(c, next) {
    const bytes = await readAtMost(c.req.raw, maxSize)
    c.set('rawBody', bytes)
    const isAbsent = isOptional && bytes.byteLength === 0
    if (!isAbsent && !read) checkFormat(c)
    const lenient = read?.(bytes, c.req.header('Content-Type') ?? null)
    if (read && lenient === undefined) refuseCompressed(c) // only now: a controller may declare a coding that it does not use
    const text = lenient ?? (isAbsent ? '{}' : readJson(bytes))
    normalizeContentType(c)
    // Hono's validators read the text of the body from this cache.
    c.req.bodyCache.text = Promise.resolve(text) as never // the declared type is text, but Hono stores a promise of it
    await next()
  })
}

/** @throws TiebarError `unsupported_media_type` */
export function refuseCompressed(c: AppContext): void {
  const coding = c.req.header('Content-Encoding')?.trim().toLowerCase() ?? ''
  if (coding !== '' && coding !== 'identity') {
    // Bodies are small: compression would save nothing and would need a second size limit.
    c.header('Accept-Encoding', 'identity') // RFC 9110 §15.5.16
    throw unsupported(`Send the body uncompressed, without Content-Encoding: ${coding}.`)
  }
}

/** @throws TiebarError `unsupported_media_type` if the headers declare a format that is not supported */
function checkFormat(c: AppContext): void {
  refuseCompressed(c)
  const { type, charset } = readContentType(c.req.header('Content-Type') ?? '')
  if (type === 'application/json-patch+json') {
    throw unsupported(
      'JSON Patch (RFC 6902) is not supported. Send the changed members as application/json or, with PATCH, as application/merge-patch+json (RFC 7396).',
    )
  }
  if (!/^application\/([\w!#$&^.+-]+\+)?json$/.test(type)) {
    throw unsupported('Send the body as JSON, with Content-Type: application/json.')
  }
  // RFC 8259 §8.1 allows no other encoding. An empty charset names none, and ASCII is a part of UTF-8.
  if (charset && !/^(utf-?8|us-ascii)$/.test(charset)) {
    throw unsupported(`Send the body in UTF-8. JSON does not allow charset=${charset}.`)
  }
}

function unsupported(detail: string): TiebarError {
  return new TiebarError('unsupported_media_type', detail)
}

/** A part of a header between semicolons. In quotes, a semicolon is text. */
const headerPart = /(?:[^;"]|"(?:[^"\\]|\\.)*"?)+/g

/** Accepts upper and lower case, spaces, unknown parameters and a trailing `;`. */
function readContentType(header: string): { type: string; charset: string | undefined } {
  const [type = '', ...parameters] = (header.match(headerPart) ?? []).map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => /^charset\s*=/.test(parameter))
  return { type, charset: charset?.replace(/^charset\s*=\s*/, '').replace(/["']/g, '') }
}

/** Sets Content-Type to application/json, because each library that reads it later matches it by another pattern. */
function normalizeContentType(c: AppContext): void {
  const { raw } = c.req
  if (raw.headers.get('Content-Type') === 'application/json') return
  const headers = new Headers(raw.headers)
  headers.set('Content-Type', 'application/json')
  c.req.raw = new Request(raw.url, { method: raw.method, headers }) // its body has been read
}

/** Reads the whole body. @throws TiebarError `body_too_large` as soon as it exceeds `maxSize` bytes */
export async function readAtMost(request: Request | Response, maxSize: number): Promise<Uint8Array> {
  const declared = request.headers.get('Content-Length') ?? ''
  if (Number(declared) > maxSize) {
    await request.body?.cancel() // otherwise the unread body keeps the connection open
    throw tooLarge(maxSize)
  }
  // Content-Length is the exact size of a request that is not chunked. A compressed response can have more bytes.
  const isSized = request instanceof Request && /^\d+$/.test(declared) && !request.headers.has('Transfer-Encoding')
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

/**
 * @returns the text, which is valid JSON
 * @throws TiebarError `malformed_json`. It omits the parser's message, which quotes the body: that may have a password
 */
function readJson(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) throw malformed('The body is empty. Send a JSON object.')
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

/** Undefined for another encoding. In JSON, NUL is always escaped, so a zero byte means UTF-16 or UTF-32. */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    return undefined
  }
}
