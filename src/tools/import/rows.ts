// Converts machines and history of the old system to rows of the new tables, or says why it cannot.
import { v5 as uuidv5 } from 'uuid'
import { z } from 'zod'
import { type Command, commandRules } from '../../jobs/commands.ts'
import { type JobReason, type JobResult, type JobState, jobResults } from '../../jobs/job.ts'
import { findControllerUrlFault } from '../../machines/controller-url.ts'
import { newMachineBody } from '../../machines/schema.ts'
import { type Converted, explain, type Values, withDefault } from './converted.ts'
import { idField, timeField } from './fields.ts'

export type NewMachine = {
  old_id: number
  old_owner_id: number
  name: string
  location: string
  status: string
  controller_url: string | null
  created_at: string | null
  updated_at: string | null
}

export type NewJob = {
  id: string
  old_machine_id: number
  old_requester_id: number
  command: Command
  state: JobState
  result: JobResult
  reason: JobReason | null
  requested_at: string
  expires_in: number
}

const machineBody = newMachineBody.out.pick({ name: true, location: true, status: true })

/** @returns a function that converts rows of `injection_molding_machines` */
export function machineConverter(
  allowPrivate: boolean,
  timeZone: string | undefined,
): (values: Values) => Converted<NewMachine> {
  const time = timeField(timeZone).nullable()
  const schema = z.object({ ...machineBody.shape, id: idField, owner_id: idField, created_at: time, updated_at: time })
  return (values) => {
    const parsed = schema.safeParse({
      ...withDefault(values, '', 'name', 'location'),
      ...withDefault(values, null, 'created_at', 'updated_at'),
      id: values.id,
      status: toNumber(values.status) ?? null, // a missing status is a fault, although a new machine has a default
      owner_id: values.owner_id ?? values.user_id,
    })
    return parsed.success ? toMachine(parsed.data, allowPrivate) : { fault: explain(parsed.error) }
  }
}

type OldMachine = z.infer<typeof machineBody> & { id: number; owner_id: number } & Record<
    'created_at' | 'updated_at',
    string | null
  >

function toMachine(machine: OldMachine, allowPrivate: boolean): Converted<NewMachine> {
  const { id, owner_id, name, location, status, created_at, updated_at } = machine
  // The old system used the controller's URL as the location.
  const isUrl = /^https?:\/\//i.test(location)
  const fault = isUrl ? findControllerUrlFault(location, allowPrivate) : undefined
  return {
    row: {
      old_id: id,
      old_owner_id: owner_id,
      name,
      location,
      status,
      controller_url: isUrl && fault === undefined ? location : null,
      created_at,
      updated_at,
    },
    notes: fault === undefined ? [] : [`${name} has no controller now: its URL ${fault}`],
  }
}

/** The state and result of a job, by its old result. */
const outcomes: Record<JobResult, { state: JobState; result: JobResult; reason: JobReason | null }> = {
  SUCCESS: { state: 'SUCCEEDED', result: 'SUCCESS', reason: null },
  REMOTEFAILED: { state: 'FAILED', result: 'REMOTEFAILED', reason: 'refused' },
  INTERNALFAILED: { state: 'FAILED', result: 'INTERNALFAILED', reason: 'outcome_unknown' },
  // The old system never ended such a job.
  PENDING: { state: 'TIMED_OUT', result: 'INTERNALFAILED', reason: 'no_report' },
  PERMISSIONDENIED: { state: 'REJECTED', result: 'PERMISSIONDENIED', reason: 'not_owner' },
  INVALIDCOMMAND: { state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'wrong_state' },
  IGNORE: { state: 'CANCELED', result: 'IGNORE', reason: null },
}

/** The namespace of the UUIDs of imported jobs (RFC 9562 §5.5): each import gives a row the same id. */
const namespace = '6f1b3a52-7c0e-5d0a-9a53-2f6d8f1f0b11'

const oldJob = z.object({
  id: idField,
  machine_id: idField,
  worker_id: idField,
  command: z.enum(['START', 'STOP']),
  result: z.enum(jobResults),
})

/** @returns a function that converts rows of `machines_history` */
export function jobConverter(timeZone: string | undefined): (values: Values) => Converted<NewJob> {
  const schema = oldJob.extend({ request_datetime: timeField(timeZone) })
  return (values) => {
    const parsed = schema.safeParse({
      ...values,
      command: values.command?.toUpperCase(),
      result: toName(values.result),
    })
    return parsed.success ? toJob(parsed.data) : { fault: explain(parsed.error) }
  }
}

function toJob(job: z.infer<typeof oldJob> & { request_datetime: string }): Converted<NewJob> {
  const { id, machine_id, worker_id, command, result, request_datetime } = job
  return {
    row: {
      id: uuidv5(`machines_history/${id}`, namespace),
      old_machine_id: machine_id,
      old_requester_id: worker_id,
      command,
      ...outcomes[result],
      requested_at: request_datetime,
      expires_in: commandRules[command].expiresInSeconds,
    },
    notes: [],
  }
}

function toNumber(value: string | null | undefined): string | number | undefined {
  return /^\d+$/.test(value ?? '') ? Number(value) : (value ?? undefined)
}

/** The old results are the numbers 1 to 7, in the order of `jobResults`. */
function toName(value: string | null | undefined): string | undefined {
  const number = toNumber(value)
  return typeof number === 'number' ? jobResults[number - 1] : number?.toUpperCase()
}
