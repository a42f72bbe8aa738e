// Redirects from the paths of the old system to the new ones. 308 keeps the method and the body (RFC 9110 §15.4.9).
import type { AppContext } from './context.ts'
import { createRouter, type Router } from './openapi/router.ts'

/** These routes are not in the OpenAPI document, because new clients should not use them. */
export function oldRoutes(): Router {
  const router = createRouter()
  router.post('/api/sign-in', redirectTo('/api/log-in'))
  router.get('/api/log-in', redirectTo('/api/me'))
  router.get('/api/user/machines/history', redirectTo('/api/machines/history'))
  return router
}

function redirectTo(path: string) {
  return (c: AppContext) => c.redirect(`${path}${new URL(c.req.url).search}`, 308)
}
