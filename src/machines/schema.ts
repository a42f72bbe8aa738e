// Request and response schemas of machines.
import { z } from '@hono/zod-openapi'
import {
  accountReference,
  enumOf,
  nameOrNumber,
  numericId,
  pageQuery,
  sortOf,
  text,
  time,
  type ValueTexts,
} from '../http/openapi/fields.ts'
import { bodyOf } from '../http/openapi/strict-input.ts'
import { maxControllerUrlLength } from './controller-url.ts'
import { machineStatuses } from './machine.ts'
import { type Machine, machineSorts } from './store.ts'

const name = text(1, 64).openapi({ example: '사출기 1호' })
const location = text(1, 256).openapi({ example: '1공장 A열 3번' })
const statusTexts: ValueTexts<typeof machineStatuses> = {
  POWEROFF: 'The machine is switched off.',
  READY: 'The machine is stopped and can be started.',
  RUNNING: 'The machine is moulding.',
  PENDING: 'The controller has accepted a command and is executing it.',
  ERROR: 'A command failed or its outcome is unknown. Check the machine, then send a STOP or change `status`.',
}

/** The name of a status, or its number in the old system, 0 to 4. */
const status = nameOrNumber(machineStatuses, 0, statusTexts).openapi({ example: 'READY' })
/** `findControllerUrlFault` checks the form and the host of the URL. */
const controllerUrl = text(1, maxControllerUrlLength).openapi({
  example: 'https://controller.example.com/machines/1',
})

export const machineSchema = z
  .object({
    id: z.int().openapi({ example: 42 }),
    name: z.string().openapi({ example: '사출기 1호' }),
    location: z.string().openapi({ example: '1공장 A열 3번' }),
    status: enumOf(machineStatuses, statusTexts).openapi({ example: 'READY' }),
    owner_id: z.int().openapi({ example: 7 }),
    controller_url: z.string().nullable().openapi({
      example: 'https://controller.example.com/machines/1',
      description: 'Null unless the caller is the owner or staff',
    }),
    created_at: time,
    updated_at: time,
  } satisfies Record<keyof Machine, z.ZodType>)
  .openapi('Machine')

export const machinePage = z
  .object({
    items: z.array(machineSchema),
    next_cursor: z.string().nullable().openapi({ example: 'WyJpZCIsIjIwIiwiMjAiXQ' }),
  })
  .openapi('MachinePage')

export const newMachineBody = bodyOf(
  'NewMachine',
  {
    name,
    location,
    status: status.default('READY'),
    controller_url: controllerUrl.nullable().default(null),
  },
  machineSchema,
)

/** The whole machine. Only `status` is optional; without it, the status is kept. */
export const wholeMachineBody = bodyOf(
  'WholeMachine',
  {
    name,
    location,
    status: status.optional(),
    controller_url: controllerUrl.nullable().default(null),
  },
  machineSchema,
)

/** JSON Merge Patch (RFC 7396): an absent member is not changed. */
export const machinePatchBody = bodyOf(
  'MachinePatch',
  {
    name: name.optional(),
    location: location.optional(),
    status: status.optional(),
    controller_url: controllerUrl.nullable().optional(),
  },
  machineSchema,
)

export const machinePath = z.object({ id: numericId })

export const machineQuery = pageQuery.extend({
  status: status.optional(),
  owner_id: accountReference.optional(),
  q: text(1, 256).optional().openapi({ description: 'Part of the name or the location' }),
  sort: sortOf(machineSorts.names).default('id'),
})
