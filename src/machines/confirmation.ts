// The endpoint that asks a controller whether it controls a machine.
import { createRoute } from '@hono/zod-openapi'
import type { TokenIssuer } from '../accounts/token.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { bearerOrKey, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { TiebarError } from '../kernel/error.ts'
import { confirmController } from './controller.ts'
import { confirmationSchema, machinePath } from './schema.ts'
import { readController } from './sql/confirm.ts'

const checkController = createRoute({
  method: 'post',
  path: '/api/machines/{id}/controller/check',
  operationId: 'checkController',
  tags: ['Machines'],
  summary: 'Ask the controller now whether it controls the machine',
  description: 'Sends CONFIRM. A command does the same before it is sent to a controller that has not confirmed yet.',
  security: bearerOrKey('manage'),
  middleware: [authenticate({ scopes: ['manage'] })] as const,
  request: { params: machinePath },
  responses: {
    200: json(confirmationSchema, 'The controller confirmed the machine'),
    ...problems(
      'not_found',
      'not_owner',
      'role_too_low',
      'no_controller',
      'controller_refused',
      'controller_unreachable',
    ),
  },
})

export function confirmationRoutes({ tokens }: { tokens: TokenIssuer }): Router {
  const router = createRouter()

  router.openapi(checkController, async (c) => {
    const { upstreams, trace, environment, caller } = c.var
    const controller = await readController(upstreams.database, caller, c.req.valid('param').id)
    const { ALLOW_PRIVATE_CONTROLLERS: allowPrivateControllers } = environment
    const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work)
    const context = { upstreams, trace, tokens, allowPrivateControllers, waitUntil }
    const answer = await confirmController(context, controller)
    if ('confirmedAt' in answer) return c.json({ confirmed_at: answer.confirmedAt }, 200)
    throw new TiebarError(
      answer.isFinal ? 'controller_refused' : 'controller_unreachable',
      `The machine is not confirmed: ${answer.detail}.`,
    )
  })

  return router
}
