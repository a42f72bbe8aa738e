// The dependencies of functions that work on jobs.
import type { TokenIssuer } from '../accounts/token.ts'
import type { AppContext } from '../http/context.ts'
import type { ControllerContext } from '../machines/controller.ts'

export type JobContext = ControllerContext & {
  publicUrl: string
}

export function toJobContext(c: AppContext, tokens: TokenIssuer): JobContext {
  const { upstreams, trace, environment } = c.var
  const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work)
  const { PUBLIC_URL: publicUrl, ALLOW_PRIVATE_CONTROLLERS: allowPrivateControllers } = environment
  return { upstreams, trace, tokens, publicUrl, allowPrivateControllers, waitUntil }
}
