// Which handlers a path selects. The paths of the API itself are in contract/paths.test.ts.
import { UnsupportedPathError } from 'hono/router'
import { expect, test } from 'vitest'
import { LiteralFirstRouter } from '../../../src/http/openapi/literal-first-router.ts'

function createRouter() {
  const router = new LiteralFirstRouter<string>()
  router.add('ALL', '/*', 'middleware')
  router.add('GET', '/machines/:id', 'read')
  router.add('PATCH', '/machines/:id', 'change')
  router.add('GET', '/machines/:id/history', 'history of one')
  router.add('GET', '/machines/history', 'history')
  return router
}

test.each([
  ['GET', '/machines/42', ['middleware', 'read']],
  ['PATCH', '/machines/42', ['middleware', 'change']],
  ['GET', '/machines/42/history', ['middleware', 'history of one']],
  ['GET', '/machines/history', ['middleware', 'history']],
  ['PATCH', '/machines/history', ['middleware']], // not the machine with the id "history"
  ['GET', '/machines/history/history', ['middleware', 'history of one']],
  ['GET', '/machines/:id', ['middleware', 'read']], // once, although the text is that of the pattern
  ['DELETE', '/machines/42', ['middleware']],
  ['GET', '/', ['middleware']],
  ['GET', '/machines//history', ['middleware']],
])('%s %s', (method, path, handlers) => {
  const [found] = createRouter().match(method, path)
  expect(found.map(([handler]) => handler)).toEqual(handlers)
})

test('middleware of only some paths is refused, because literal paths would not run it', () => {
  expect(() => createRouter().add('ALL', '/machines/*', 'check')).toThrow(TypeError)
})

test('a pattern beside another that one path could match, too, is refused', () => {
  expect(() => createRouter().add('GET', '/machines/new/:name', 'other')).toThrow(UnsupportedPathError)
})
