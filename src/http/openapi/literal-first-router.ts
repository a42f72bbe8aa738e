// The router of the app: a literal path has priority over a pattern that would match it as an id.
import type { Result, Router } from 'hono/router'
import { RegExpRouter } from 'hono/router/reg-exp-router'

/**
 * Two RegExpRouters, Hono's fastest. One alone refuses `/machines/history` beside `/machines/:id`, and Hono would then use
 * its slower TrieRouter for everything. A request to a literal path never matches a pattern, whatever its method.
 */
export class LiteralFirstRouter<Handler> implements Router<Handler> {
  readonly name = 'LiteralFirstRouter'
  readonly #literals = new RegExpRouter<Handler>()
  readonly #patterns = new RegExpRouter<Handler>()
  readonly #paths = new Set<string>()

  /**
   * @throws TypeError for middleware of only some paths: a literal path would not run it
   * @throws UnsupportedPathError for a pattern beside another that one path could match, too
   */
  add(method: string, path: string, handler: Handler): void {
    const isForAll = path === '/*'
    if (path.includes('*') && !isForAll) throw new TypeError(`middleware is for all paths, not for ${path}`)
    const isLiteral = !/[:*]/.test(path)
    if (isLiteral) this.#paths.add(path)
    if (isLiteral || isForAll) this.#literals.add(method, path, handler)
    if (!isLiteral) this.#patterns.add(method, path, handler)
  }

  match(method: string, path: string): Result<Handler> {
    return (this.#paths.has(path) ? this.#literals : this.#patterns).match(method, path)
  }
}
