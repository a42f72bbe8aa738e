// Converts a row of the old tables to a row of the new ones, or says why it cannot.
import { v5 as uuidv5 } from 'uuid'
import { z } from 'zod'
import { foldName } from '../../accounts/account.ts'
import { parseDjangoHash } from '../../accounts/django-password.ts'
import { signUpBody } from '../../accounts/schema.ts'
import { type Command, commandRules } from '../../jobs/commands.ts'
import { type JobReason, type JobResult, type JobState, jobResults } from '../../jobs/job.ts'
import { isTimestamp } from '../../kernel/time.ts'
import { findControllerUrlFault } from '../../machines/controller-url.ts'
import { newMachineBody } from '../../machines/schema.ts'
import type { OldRow } from './dump.ts'

/** The new row with notes for the reader, or why there is none. */
export type Converted<New> = { row: New; notes: string[] } | { fault: string }

export type NewAccount = {
  old_id: number
  username: string
  username_key: string
  email: string
  email_key: string
  first_name: string
  last_name: string
  password_hash: string
  is_active: boolean
  date_joined: string | null
  last_login: string | null
}

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

type Values = OldRow['values']

const id = z.coerce.number().pipe(z.int().min(1))
/** A boolean as PostgreSQL writes it in a dump or a CSV. */
const flag = (text: string | null | undefined) => /^(t|true|1)$/i.test(text ?? '')
const person = signUpBody.out.pick({ username: true, email: true, first_name: true, last_name: true })

export function toAccount(values: Values): Converted<NewAccount> {
  const oldId = id.safeParse(values.id)
  const parsed = person.safeParse({
    username: values.username ?? '',
    email: values.email ?? '',
    first_name: values.first_name ?? '',
    last_name: values.last_name ?? '',
  })
  if (!oldId.success || !parsed.success) return { fault: explain(['id', oldId], ['', parsed]) }
  const { username, email, first_name, last_name } = parsed.data
  const hasPassword = parseDjangoHash(values.password ?? '') !== undefined
  const isStaff = flag(values.is_staff) || flag(values.is_superuser)
  return {
    row: {
      old_id: oldId.data,
      username,
      username_key: foldName(username),
      email,
      email_key: foldName(email),
      first_name,
      last_name,
      password_hash: hasPassword ? (values.password ?? '') : '!',
      is_active: flag(values.is_active ?? 'true'),
      date_joined: toTime(values.date_joined),
      last_login: toTime(values.last_login),
    },
    notes: [
      // The old system's migrations made administrators with known passwords.
      ...(isStaff ? [`${username} is no longer staff; to change that: npm run staff -- ${username}`] : []),
      ...unreadTimes(values, 'date_joined', 'last_login'),
      ...(hasPassword ? [] : [`${username} cannot sign in: the password is not stored as pbkdf2_sha256`]),
    ],
  }
}

const machineBody = newMachineBody.out.pick({ name: true, location: true, status: true })

export function toMachine(values: Values, allowPrivate: boolean): Converted<NewMachine> {
  const oldId = id.safeParse(values.id)
  const owner = id.safeParse(values.owner_id ?? values.user_id)
  const parsed = machineBody.safeParse({
    name: values.name ?? '',
    location: values.location ?? '',
    status: toNumber(values.status) ?? undefined,
  })
  if (!oldId.success || !owner.success || !parsed.success) {
    return { fault: explain(['id', oldId], ['owner_id', owner], ['', parsed]) }
  }
  const { name, location, status } = parsed.data
  // The old system used the controller's URL as the location.
  const isUrl = /^https?:\/\//i.test(location)
  const fault = isUrl ? findControllerUrlFault(location, allowPrivate) : undefined
  return {
    row: {
      old_id: oldId.data,
      old_owner_id: owner.data,
      name,
      location,
      status,
      controller_url: isUrl && fault === undefined ? location : null,
      created_at: toTime(values.created_at),
      updated_at: toTime(values.updated_at),
    },
    notes: [
      ...unreadTimes(values, 'created_at', 'updated_at'),
      ...(fault === undefined ? [] : [`${name} has no controller now: its URL ${fault}`]),
    ],
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

export function toJob(values: Values): Converted<NewJob> {
  const oldId = id.safeParse(values.id)
  const machine = id.safeParse(values.machine_id)
  const worker = id.safeParse(values.worker_id)
  const command = z.enum(['START', 'STOP']).safeParse(values.command?.toUpperCase() ?? '')
  const result = z.enum(jobResults).safeParse(toName(values.result))
  const at = toTime(values.request_datetime)
  if (!oldId.success || !machine.success || !worker.success || !command.success || !result.success) {
    return {
      fault: explain(
        ['id', oldId],
        ['machine_id', machine],
        ['worker_id', worker],
        ['command', command],
        ['result', result],
      ),
    }
  }
  if (at === null) return { fault: `request_datetime: ${values.request_datetime} is not a time with an offset` }
  return {
    row: {
      id: uuidv5(`machines_history/${oldId.data}`, namespace),
      old_machine_id: machine.data,
      old_requester_id: worker.data,
      command: command.data,
      ...outcomes[result.data],
      requested_at: at,
      expires_in: commandRules[command.data].expiresInSeconds,
    },
    notes: [],
  }
}

type Checked = { success: boolean; error?: z.ZodError | undefined }

function explain(...checked: [name: string, result: Checked][]): string {
  const faults = checked.flatMap(([name, { error }]) =>
    (error?.issues ?? []).map(
      ({ path, message }) => `${[name, ...path].filter((part) => part !== '').join('.')}: ${message}`,
    ),
  )
  return faults.join('; ')
}

/** Converts PostgreSQL's `2024-03-01 09:30:00.5+09` to RFC 3339; null for NULL and for any other text. */
function toTime(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null
  const iso = text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')
  return isTimestamp(iso) ? iso : null
}

/** A note for each value that is not a time and is therefore not imported. */
function unreadTimes(values: Values, ...names: string[]): string[] {
  return names
    .filter((name) => (values[name] ?? null) !== null && toTime(values[name]) === null)
    .map((name) => `${name} is not imported: ${values[name]} is not a time with an offset`)
}

function toNumber(text: string | null | undefined): string | number | undefined {
  return /^\d+$/.test(text ?? '') ? Number(text) : (text ?? undefined)
}

/** The old results are the numbers 1 to 7, in the order of `jobResults`. */
function toName(text: string | null | undefined): string | undefined {
  const value = toNumber(text)
  return typeof value === 'number' ? jobResults[value - 1] : value?.toUpperCase()
}
