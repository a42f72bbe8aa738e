// Content negotiation (RFC 9110 §12): which media type an Accept header wants, and 406 where it wants none of ours.
import { createMiddleware } from 'hono/factory'
import { matchedRoutes } from 'hono/route'
import { BoundedCache } from '../../kernel/bounded-cache.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { AppContext, AppEnv } from '../context.ts'
import type { Router } from '../openapi/router.ts'

const memorySize = 200

type MediaRange = { type: string; subtype: string; quality: number }

/**
 * The offer that an Accept header likes best, the first one among equals; undefined when it takes none of them.
 * Each offer is judged by the most specific range that names it (RFC 9110 §12.5.1). Parameters other than `q` are not
 * looked at: no offer of ours has any.
 * @param header absent or empty: everything will do
 */
export function chooseMediaType(header: string | undefined, offers: readonly string[]): string | undefined {
  if (header === undefined || header.trim() === '') return offers[0]
  const ranges = header.split(',').flatMap(readRange)
  let best: { offer: string; quality: number } | undefined
  for (const offer of offers) {
    const quality = judge(offer, ranges)
    if (quality > (best?.quality ?? 0)) best = { offer, quality }
  }
  return best?.offer
}

function readRange(text: string): MediaRange[] {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const [, type, subtype] = /^([\w!#$&^.+*-]+)\/([\w!#$&^.+*-]+)$/.exec(range) ?? []
  if (type === undefined || subtype === undefined) return []
  const weight = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '')
  const quality = weight === undefined ? 1 : Number(weight)
  // A weight that is no weight counts as none: who sends it still wants the type.
  return [{ type, subtype, quality: quality >= 0 && quality <= 1 ? quality : 1 }]
}

function judge(offer: string, ranges: readonly MediaRange[]): number {
  const [type, subtype] = offer.split('/')
  const exact = ranges.find((range) => range.type === type && range.subtype === subtype)
  const half = ranges.find((range) => range.type === type && range.subtype === '*')
  const any = ranges.find((range) => range.type === '*' && range.subtype === '*')
  return (exact ?? half ?? any)?.quality ?? 0
}

/**
 * Answers 406 before anything happens when Accept takes nothing that the matched route says it answers with. Faults are
 * problems, so whoever takes `application/problem+json` is served too.
 */
export function accept(app: Router) {
  let offers: Map<string, string[]> | undefined
  // Clients send one of few headers.
  const verdicts = new BoundedCache<boolean>(memorySize)
  const takes = (header: string, offered: string[]) => {
    const key = `${offered.join()} ${header}`
    const known = verdicts.get(key)
    if (known !== undefined) return known
    const verdict = chooseMediaType(header, offered) !== undefined
    verdicts.set(key, verdict)
    return verdict
  }
  return createMiddleware<AppEnv>(async function accept(c, next) {
    const header = c.req.header('Accept')
    if (header === undefined || header === '*/*') return next()
    offers ??= readOffers(app)
    // The route that answers is the first that is no middleware; one for all methods answers 405 and offers nothing.
    const route = matchedRoutes(c).find(({ path }) => path !== '/*')
    const offered = route && offers.get(`${route.method} ${route.path}`)
    if (offered && !takes(header, offered)) {
      throw new TiebarError('not_acceptable', `This path answers ${offered.join(', ')}; the Accept header takes none.`)
    }
    return next()
  })
}

/**
 * The type to answer JSON as: its registered one where the Accept header prefers that, such as
 * `application/jwk-set+json` (RFC 7517 §8.5.2).
 */
export function chooseJsonType<const Type extends string>(c: AppContext, registered: Type): Type | 'application/json' {
  c.header('Vary', 'Accept', { append: true })
  const chosen = chooseMediaType(c.req.header('Accept'), ['application/json', registered])
  return chosen === registered ? registered : 'application/json'
}

/** By method and path as they are mounted: the media types of all answers of a route. */
function readOffers(app: Router): Map<string, string[]> {
  const routes = app.openAPIRegistry.definitions.flatMap((each) => (each.type === 'route' ? [each.route] : []))
  return new Map(
    routes.map(({ method, path, responses }) => {
      const types = Object.values(responses).flatMap((response) =>
        'content' in response ? Object.keys(response.content ?? {}) : [],
      )
      const offered = types.length === 0 ? ['application/json'] : types
      return [
        `${method.toUpperCase()} ${path.replaceAll(/\{(.+?)\}/g, ':$1')}`,
        [...new Set([...offered, 'application/problem+json'])],
      ]
    }),
  )
}
