// Request and response schemas of machines.
import { z } from '@hono/zod-openapi'
import {
  accountReference,
  enumOf,
  label,
  nameOrNumber,
  numericId,
  pageQuery,
  queryId,
  sortOf,
  text,
  time,
  type ValueTexts,
} from '../http/openapi/fields.ts'
import { bodyOf } from '../http/openapi/strict-input.ts'
import { role } from '../sites/schema.ts'
import { maxControllerUrlLength } from './controller-url.ts'
import { deliveries, machineStatuses, statusSources } from './machine.ts'
import { freshIntervals, machineModes, type Reported } from './report.ts'
import { type Machine, type MachineRow, machineColumns } from './sql/fragments.ts'
import { machineSorts } from './sql/read.ts'
import { toReported } from './sql/report.ts'

const name = label(1, 64).openapi({ example: '사출기 1호' })
const location = label(1, 256).openapi({ example: '1공장 A열 3번' })
export const statusTexts: ValueTexts<typeof machineStatuses> = {
  POWEROFF: 'The machine is switched off.',
  READY: 'The machine is stopped and can be started.',
  RUNNING: 'The machine is moulding.',
  PENDING: 'The controller has accepted a command and is executing it.',
  ERROR: 'A command failed or its outcome is unknown. Check the machine, then send a STOP or change `status`.',
}

export const modeTexts: ValueTexts<typeof machineModes> = {
  automatic: 'The machine moulds without an operator.',
  semi_automatic: 'An operator starts each cycle.',
  manual: 'The machine is operated by hand.',
  setup: 'The machine is being set up.',
  unknown: 'The machine does not know its mode.',
}

/** What a machine has reported. */
const reportedSchema = z
  .object({
    status: enumOf(machineStatuses, statusTexts),
    mode: enumOf(machineModes, modeTexts).nullable(),
    remote_enabled: z.boolean().nullable().openapi({ description: 'False: the machine accepts no remote START' }),
    cycles: z.int().nullable().openapi({ description: 'The total number of cycles of the machine' }),
    last_cycle_ms: z.int().nullable(),
    alarm: z
      .object({
        code: z.string().openapi({ example: 'E-204' }),
        text: z.string().openapi({ example: '금형 보호 이상' }),
      })
      .nullable(),
    at: time.openapi({ description: 'When the report arrived' }),
    is_fresh: z.boolean().openapi({
      description: `Whether the report is at most ${freshIntervals} intervals old. Otherwise the current status is unknown`,
    }),
    interval_seconds: z.int().openapi({ description: 'The interval between two reports' }),
  } satisfies Record<keyof Reported, z.ZodType>)
  .openapi('Reported', {
    example: {
      status: 'RUNNING',
      mode: 'automatic',
      remote_enabled: true,
      cycles: 120_345,
      last_cycle_ms: 31_500,
      alarm: null,
      at: '2026-11-22T09:30:00.000000Z',
      is_fresh: true,
      interval_seconds: 10,
    },
  })

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
    status_source: enumOf(statusSources, {
      person: 'A person set the status.',
      command: 'It follows from the answer to a command, or from a missing answer.',
      report: 'The machine reported it.',
    }).openapi({ example: 'report' }),
    status_at: time.openapi({ description: 'Since when the machine has this status' }),
    owner_id: z.int().openapi({ example: 7 }),
    site_id: z.int().nullable().openapi({
      example: 3,
      description: 'Null if the machine is in no site. Then every account can see the machine.',
    }),
    /** The role of the caller. */
    my_role: role.nullable().openapi({ example: 'manager' }),
    controller_url: z.string().nullable().openapi({
      example: 'https://controller.example.com/machines/1',
      description: 'Null unless the caller is a manager',
    }),
    controller_confirmed_at: time.nullable().openapi({
      description:
        'When the controller confirmed that it controls this machine. Until then nothing is sent but CONFIRM. ' +
        'Null unless the caller is a manager',
    }),
    delivery: enumOf(deliveries, {
      push: 'Commands are posted to `controller_url`.',
      pull: 'The machine has no `controller_url` and a key for reports: it gets commands in the answers to its reports.',
    }).openapi({ example: 'pull' }),
    reported: reportedSchema.nullable().openapi({ description: 'Null: the machine has never reported' }),
    created_at: time,
    updated_at: time,
  } satisfies Record<keyof Machine | Exclude<keyof MachineRow, 'revision'>, z.ZodType>)
  .openapi('Machine')

export type MachineAnswer = Machine & Omit<MachineRow, keyof Machine | 'revision'>

/** Only managers of the machine may see its controller. */
export function toMachine(row: MachineRow): MachineAnswer {
  const { my_role, delivery, reported } = row
  const hidden = my_role === 'manager' ? undefined : { controller_url: null, controller_confirmed_at: null }
  return { ...machineColumns.pick(row), ...hidden, my_role, delivery, reported: toReported(reported) }
}

export const confirmationSchema = z.object({ confirmed_at: time }).openapi('ControllerConfirmation')

export const machinePage = z
  .object({
    items: z.array(machineSchema),
    next_cursor: z.string().nullable().openapi({ example: 'WyJpZCIsIjIwIiwiMjAiXQ' }),
  })
  .openapi('MachinePage')

/** Only a manager of the site may put a machine into it. */
const siteId = z.int().positive().nullable().openapi({ example: null })

const newMachine = {
  name,
  location,
  status: status.default('READY'),
  site_id: siteId.default(null),
  controller_url: controllerUrl.nullable().default(null),
}
/** PUT and PATCH need all of these: they ignore a member that GET shows and that they do not name. */
type Settings = Record<keyof typeof newMachine, z.ZodType>

export const newMachineBody = bodyOf('NewMachine', newMachine, machineSchema)

/** The whole machine. Without `status` or `site_id`, these are kept. */
export const wholeMachineBody = bodyOf(
  'WholeMachine',
  {
    name,
    location,
    status: status.optional(),
    site_id: siteId.optional(),
    controller_url: controllerUrl.nullable().default(null),
  } satisfies Settings,
  machineSchema,
)

/** JSON Merge Patch (RFC 7396): an absent member is not changed. */
export const machinePatchBody = bodyOf(
  'MachinePatch',
  {
    name: name.optional(),
    location: location.optional(),
    status: status.optional(),
    site_id: siteId.optional(),
    controller_url: controllerUrl.nullable().optional(),
  } satisfies Settings,
  machineSchema,
)

export const machinePath = z.object({ id: numericId })

export const machineQuery = pageQuery.extend({
  status: status.optional(),
  owner_id: accountReference.optional(),
  site_id: queryId.optional().openapi({ description: 'Machines in this site' }),
  q: label(1, 256).optional().openapi({ description: 'Part of the name or the location' }),
  sort: sortOf(machineSorts.names).default('id'),
})
