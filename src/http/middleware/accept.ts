// Content negotiation (RFC 9110 §12): chooses a media type by the Accept header, and answers 406 if none is acceptable.
import type { RouteConfig } from '@hono/zod-openapi'
import { createMiddleware } from 'hono/factory'
import { BoundedCache } from '../../kernel/bounded-cache.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { AppContext, AppEnv } from '../context.ts'

const cacheSize = 50
/** Characters. A longer header is not kept: the caches of all routes could otherwise fill the memory. */
const maxKeptLength = 200

type MediaRange = { type: string; subtype: string; quality: number }

/**
 * The offer with the highest quality, the first one among equals; undefined if the header accepts none of them.
 * The most specific range that matches an offer decides its quality (RFC 9110 §12.5.1). Parameters other than `q` are
 * ignored, because our offers have none.
 * @param header absent or empty: every type is accepted
 */
export function chooseMediaType(header: string | undefined, offers: readonly string[]): string | undefined {
  if (header === undefined || header.trim() === '') return offers[0]
  const ranges = header.split(',').flatMap(readRange)
  let best: { offer: string; quality: number } | undefined
  for (const offer of offers) {
    const quality = findQuality(offer, ranges)
    if (quality > (best?.quality ?? 0)) best = { offer, quality }
  }
  return best?.offer
}

function readRange(text: string): MediaRange[] {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  // Java's and other old clients write `*` for every type.
  const [, type, subtype] = /^([\w!#$&^.+*-]+)\/([\w!#$&^.+*-]+)$/.exec(range === '*' ? '*/*' : range) ?? []
  if (type === undefined || subtype === undefined) return []
  const weight = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '')
  const quality = weight === undefined ? 1 : Number(weight)
  // An invalid weight counts as 1, because the client still asks for the type.
  return [{ type, subtype, quality: quality >= 0 && quality <= 1 ? quality : 1 }]
}

function findQuality(offer: string, ranges: readonly MediaRange[]): number {
  const [type, subtype] = offer.split('/')
  const exact = ranges.find((range) => range.type === type && range.subtype === subtype)
  const anySubtype = ranges.find((range) => range.type === type && range.subtype === '*')
  const anyType = ranges.find((range) => range.type === '*' && range.subtype === '*')
  return (exact ?? anySubtype ?? anyType)?.quality ?? 0
}

/**
 * Answers 406 before the handler runs if the Accept header excludes all media types of the route. Errors are problems, so a
 * client that accepts only `application/problem+json` is also served. Callbacks do not use it: the result that a machine
 * reports must not be lost because of a header.
 * @param offers media types
 * @throws TiebarError `not_acceptable`
 */
export function accept(offers: readonly string[]) {
  // Clients send few different headers, so most results are found here.
  const results = new BoundedCache<boolean>(cacheSize)
  const isAcceptable = (header: string) => {
    const known = results.get(header)
    if (known !== undefined) return known
    const result = chooseMediaType(header, offers) !== undefined
    if (header.length <= maxKeptLength) results.set(header, result)
    return result
  }
  return createMiddleware<AppEnv>(async function accept(c, next) {
    const header = c.req.header('Accept')
    if (header !== undefined && !isAcceptable(header)) {
      throw new TiebarError(
        'not_acceptable',
        `This path answers with ${offers.join(', ')}. The Accept header excludes all of them.`,
      )
    }
    await next()
  })
}

/** The media types of the answers that a route declares. */
export function findOffers(responses: RouteConfig['responses']): string[] {
  const types = Object.values(responses).flatMap((response) =>
    'content' in response ? Object.keys(response.content ?? {}) : [],
  )
  return [...new Set([...(types.length === 0 ? ['application/json'] : types), 'application/problem+json'])]
}

/**
 * The media type of a JSON answer: the registered type if the Accept header prefers it, such as
 * `application/jwk-set+json` (RFC 7517 §8.5.2). Otherwise `application/json`.
 */
export function chooseJsonType<const Type extends string>(c: AppContext, registered: Type): Type | 'application/json' {
  c.header('Vary', 'Accept', { append: true })
  const chosen = chooseMediaType(c.req.header('Accept'), ['application/json', registered])
  return chosen === registered ? registered : 'application/json'
}
