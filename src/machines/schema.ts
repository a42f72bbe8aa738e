// The wire shapes of machines.
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
import { longestControllerUrl } from './controller-url.ts'
import { machineStatuses } from './machine.ts'
import { type Machine, machineSorts } from './store.ts'

const name = text(1, 64).openapi({ example: '사출기 1호' })
const location = text(1, 256).openapi({ example: '1공장 A열 3번' })
const statusTexts: ValueTexts<typeof machineStatuses> = {
  POWEROFF: 'The machine is switched off.',
  READY: 'The machine stands still and can be started.',
  RUNNING: 'The machine is moulding.',
  PENDING: 'The controller has taken a command and is carrying it out.',
  ERROR: 'A command failed or its outcome is not known: somebody must look. A STOP or a change of `status` leads out.',
}

/** Names, or the old system's numbers 0 to 4. */
const status = nameOrNumber(machineStatuses, 0, statusTexts).openapi({ example: 'READY' })
/** What the URL may point to is checked by `findControllerUrlFault`. */
const controllerUrl = text(1, longestControllerUrl).openapi({
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
      description: 'Null for whoever is not the owner or staff',
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

/** The whole machine; only `status` may be left out, and is then left as it is. */
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

/** JSON Merge Patch (RFC 7396): what is absent stays as it is. */
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
