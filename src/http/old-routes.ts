// Where the paths of the old system have gone. 308 keeps the method and the body (RFC 9110 §15.4.9).
import type { AppContext } from './context.ts'
import { createRouter, type Router } from './openapi/router.ts'

/** Not in the OpenAPI document: nothing new should be built on them. */
export function oldRoutes(): Router {
  const router = createRouter()
  router.post('/api/sign-in', moveTo('/api/log-in'))
  router.get('/api/log-in', moveTo('/api/me'))
  router.get('/api/user/machines/history', moveTo('/api/machines/history'))
  return router
}

function moveTo(path: string) {
  return (c: AppContext) => c.redirect(`${path}${new URL(c.req.url).search}`, 308)
}
