// The door for request bodies: JSON only, at most 64 KiB, read once. What the JSON says is for the schemas.
import { createMiddleware } from 'hono/factory'
import { TiebarError } from '../../kernel/error.ts'
import type { AppEnv } from '../context.ts'

export type BodyOptions = {
  /** Bytes. */
  maxSize?: number
  /** A request without a body then counts as an empty object. */
  isOptional?: boolean
}

const jsonMediaType = /^application\/([\w.-]+\+)?json\s*(;|$)/i

export const unsupportedMediaType = 'Send the body as JSON, with Content-Type: application/json.'

/**
 * Reads the body as JSON before any validation.
 * @throws TiebarError `unsupported_media_type`, `body_too_large`, `malformed_json`
 */
export function jsonBody({ maxSize = 64 * 1024, isOptional = false }: BodyOptions = {}) {
  if (!Number.isInteger(maxSize) || maxSize < 1) throw new TypeError('maxSize must be a positive number of bytes')
  return createMiddleware<AppEnv>(async function jsonBody(c, next) {
    const contentType = c.req.header('Content-Type')
    if (isOptional && contentType === undefined) return next()
    if (!jsonMediaType.test(contentType ?? '')) {
      throw new TiebarError('unsupported_media_type', unsupportedMediaType)
    }
    const bytes = await readAtMost(c.req.raw, maxSize)
    c.set('rawBody', bytes)
    // Hono's own cache of what the body holds: its validators read the text, and find it there.
    c.req.bodyCache.text = Promise.resolve(readJson(bytes)) as never // typed as the text, holds its promise
    await next()
  })
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

/** @returns the text, which is JSON. @throws TiebarError `malformed_json` */
function readJson(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
    JSON.parse(text)
    return text
  } catch (error) {
    const detail =
      bytes.byteLength === 0 ? 'The body is empty; a JSON object is needed.' : 'The body is not valid JSON.'
    throw new TiebarError('malformed_json', detail, {}, { cause: error })
  }
}
