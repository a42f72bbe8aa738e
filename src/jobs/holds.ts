// Endpoints for holds on a machine, and for the preflight of a command.
import { createRoute, z } from '@hono/zod-openapi'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { enumOf, label, numericId, pageQuery, time } from '../http/openapi/fields.ts'
import { bearerOrKey, bearerSecurity, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { bodyOf } from '../http/openapi/strict-input.ts'
import { answerPage, readPage, toPage } from '../http/pagination/page.ts'
import { publishChange, toFeedContext, toMachineChange } from '../machines/feed.ts'
import { holdSchema } from '../machines/hold.ts'
import { toHold } from '../machines/sql/hold.ts'
import { commands } from './commands.ts'
import { explainObstacle } from './refusals.ts'
import { machinePath } from './schema.ts'
import { holdSorts, listHolds, overrideHold, removeHold } from './sql/holds.ts'
import { placeHold } from './sql/place-hold.ts'
import { type Obstacle, readPreflight } from './sql/preflight.ts'
import { recordTransitions } from './transition.ts'
import { commandTexts, obstacleTexts } from './value-texts.ts'

const tags = ['Holds']
const path = '/api/machines/{id}/holds'
const maxReason = 1_000
const reason = label(1, maxReason).openapi({ example: '금형 교체 중' })
const holdPath = z.object({ id: numericId, hold: numericId })
const sure = z
  .boolean()
  .refine((value) => value, 'must be true: override a hold only then')
  .openapi({ enum: [true], example: true })

const list = createRoute({
  method: 'get',
  path,
  operationId: 'listHolds',
  tags,
  summary: 'The holds on a machine that were not removed',
  security: bearerOrKey('read'),
  middleware: [authenticate({ scopes: ['read'] })] as const,
  request: { params: machinePath, query: pageQuery },
  responses: {
    200: json(
      z
        .object({
          items: z.array(holdSchema),
          next_cursor: z.string().nullable().openapi({ example: 'WyJpZCIsIjIwIiwiMjAiXQ' }),
        })
        .openapi('HoldPage'),
      'One page of holds',
    ),
    ...problems('not_found', 'not_owner'),
  },
})

const place = createRoute({
  method: 'post',
  path,
  operationId: 'placeHold',
  tags,
  summary: 'Place a hold, because I am at the machine: it is not started until I remove the hold',
  description:
    'A START that has not been sent is superseded. A STOP is always accepted. A hold is no lock-out: it isolates no energy, ' +
    'and the machine can still move by itself or by hand (29 CFR 1910.147(b)). An account has at most one hold on a machine. ' +
    'If it has one already, the answer is 200 with that hold.',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { params: machinePath, body: body(bodyOf('NewHold', { reason })) },
  responses: {
    200: json(holdSchema, 'The hold that was there already'),
    201: json(holdSchema, 'The hold'),
    ...problems('not_found', 'not_owner', 'role_too_low', 'start_in_flight'),
  },
})

const remove = createRoute({
  method: 'delete',
  path: `${path}/{hold}`,
  operationId: 'removeHold',
  tags,
  summary: 'Remove my hold',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  request: { params: holdPath },
  responses: { 204: { description: 'The hold is removed' }, ...problems('not_found', 'hold_of_other') },
})

const override = createRoute({
  method: 'post',
  path: `${path}/{hold}/override`,
  operationId: 'overrideHold',
  tags,
  summary: 'Override the hold of somebody else (managers only)',
  description:
    'Only after you have made sure that nobody is at the machine, and have tried to reach the person. `GET /api/me` shows ' +
    'the override to that person, who can then remove the hold.',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: {
    params: holdPath,
    body: body(bodyOf('HoldOverride', { reason, absence_verified: sure, contact_tried: sure })),
  },
  responses: {
    200: json(holdSchema, 'The hold, which is no longer in force'),
    ...problems('not_found', 'not_owner', 'role_too_low'),
  },
})

const obstacles = Object.keys(obstacleTexts) as [Obstacle, ...Obstacle[]] // it has every obstacle

const preflight = createRoute({
  method: 'get',
  path: '/api/machines/{id}/preflight',
  operationId: 'readPreflight',
  tags,
  summary: 'Whether a command would be accepted now, and everything that prevents it',
  security: bearerOrKey('read'),
  middleware: [authenticate({ scopes: ['read'] })] as const,
  request: { params: machinePath, query: z.object({ command: enumOf(commands, commandTexts).default('START') }) },
  responses: {
    200: json(
      z
        .object({
          may: z.boolean(),
          reasons: z.array(
            z.object({
              code: enumOf(obstacles, obstacleTexts),
              detail: z.string().openapi({ example: 'Account 17 is at the machine.' }),
              by: z.int().optional().openapi({ example: 17, description: 'The account that causes the obstacle' }),
              since: time.optional(),
            }),
          ),
        })
        .openapi('Preflight'),
      'Whether the command would be accepted, and all obstacles',
    ),
    ...problems('not_found', 'not_owner'),
  },
})

export function holdRoutes(): Router {
  const router = createRouter()

  router.openapi(list, async (c) => {
    const page = readPage(holdSorts, { sort: 'id', ...c.req.valid('query') })
    const rows = await listHolds(c.var.upstreams.database, c.var.caller, c.req.valid('param').id, page)
    return answerPage(c, toPage(page, rows, toHold))
  })

  router.openapi(place, async (c) => {
    const { database } = c.var.upstreams
    const { id } = c.req.valid('param')
    const placed = await placeHold(database, c.var.session, id, c.req.valid('json').reason)
    const { hold, isNew, superseded, machine, callerId } = placed
    if (machine && !superseded) publishChange(c, toMachineChange(machine))
    if (machine && superseded) {
      const { site_id, revision } = machine
      await recordTransitions(toFeedContext(c), [{ ...superseded, site_id, revision }], callerId)
    }
    return isNew ? c.json(hold, 201) : c.json(hold, 200)
  })

  router.openapi(remove, async (c) => {
    const { id, hold } = c.req.valid('param')
    const machine = await removeHold(c.var.upstreams.database, c.var.session, id, hold)
    if (machine) publishChange(c, toMachineChange(machine))
    return c.body(null, 204)
  })

  router.openapi(override, async (c) => {
    const { id, hold } = c.req.valid('param')
    const { reason } = c.req.valid('json')
    const overridden = await overrideHold(c.var.upstreams.database, c.var.session, id, hold, reason)
    if (overridden.machine) publishChange(c, toMachineChange(overridden.machine))
    return c.json(overridden.hold, 200)
  })

  router.openapi(preflight, async (c) => {
    const { command } = c.req.valid('query')
    const found = await readPreflight(c.var.upstreams.database, c.var.caller, c.req.valid('param').id, command)
    const reasons = found.obstacles.flatMap((code) => explainObstacle(code, command, found))
    return c.json({ may: reasons.length === 0, reasons }, 200)
  })

  return router
}
