// Handles the reports of machines: stores them, and hands out commands to the machines that fetch them.
import type { Caller } from '../http/context.ts'
import type { CacheWrite, Subscription } from '../infra/redis.ts'
import { TiebarError } from '../kernel/error.ts'
import { toMachineChange } from '../machines/feed.ts'
import type { Hold } from '../machines/hold.ts'
import { defaultIntervalSeconds } from '../machines/report.ts'
import type { RoleRefusal } from '../sites/sql/role.ts'
import type { JobContext } from './context.ts'
import type { ControllerCommand } from './controller.ts'
import { readDetail } from './controller-report.ts'
import { toCommand } from './deliver.ts'
import { type MachineReport, toReportRow } from './report-schema.ts'
import type { FetchedRow } from './sql/claim.ts'
import { checkReports } from './sql/describe-reports.ts'
import type { JobRow } from './sql/fragments.ts'
import { refreshReports } from './sql/refresh-reports.ts'
import type { ReportRow } from './sql/report-input.ts'
import { settle } from './sql/settle.ts'
import { fetchCommand, type StoredReports, storeReports } from './sql/store-reports.ts'
import { recordTransitions } from './transition.ts'

/** How soon a machine reports again while a job of it is open. */
const openIntervalSeconds = 2

/** An answer is held only while the last report is fresh, because a START is refused after that. */
const maxHeldIntervals = 2

/** How long the token of a fetched command is valid. */
const tokenSeconds = 60

export type Handled = {
  refusal: RoleRefusal | null
  intervalSeconds: number
  isOpen: boolean
  holds: Hold[]
  command: JobRow | null
  /** How long the answer was held. */
  heldSeconds?: number
  /** Why the outcome in the report was not accepted. The report itself was. */
  fault?: TiebarError
}

/**
 * Stores reports of different machines. A report that changes only counters takes one round trip. Any other takes one more:
 * it is stored under the lock of its machine, and the same batch gets the command. An outcome in a report is stored first.
 * @param siteId the site in which all machines must be; null for any
 * @throws TiebarError `session_ended`; `not_found`, `role_too_low` for the site
 */
export async function handleReports(
  context: JobContext,
  caller: Caller,
  reports: MachineReport[],
  siteId: number | null,
): Promise<Handled[]> {
  const { database } = context.upstreams
  const rows = reports.map(toReportRow)
  if (rows.length === 0) await checkReports(database, caller, rows, siteId)
  const plain = rows.filter((row) => row.outcome_job_id === null)
  const refreshed = plain.length === 0 ? new Map() : await refreshReports(database, caller, plain, siteId)
  const rest = rows.filter((row) => !refreshed.has(row.machine_id))
  const faults = await storeOutcomes(context, caller, reports, siteId)
  const stored = rest.length === 0 ? undefined : await store(context, caller, rest, siteId)
  return rows.map((row) => {
    const isOfRow = ({ machine_id }: { machine_id: number }) => machine_id === row.machine_id
    const { refusal = null, holds = refreshed.get(row.machine_id) ?? [] } = stored?.descriptions.find(isOfRow) ?? {}
    // A caller who may not report for a machine must not learn about its jobs.
    const fetched = refusal === null ? stored?.machines.find(isOfRow) : undefined
    const { is_open: isOpen = false, command = null } = fetched ?? {}
    const fault = faults.get(row.machine_id)
    return { refusal, holds, isOpen, command, intervalSeconds: row.interval_seconds, ...(fault && { fault }) }
  })
}

/** The message that ends the wait of a held answer, because there is a command for the machine. */
export function wakeMachine(machineId: number): CacheWrite {
  return { when: 'now', channel: channelOf(machineId), message: '1' }
}

function channelOf(machineId: number): string {
  return `commands:${machineId}`
}

/**
 * The same for one machine. The answer is held until there is a command. It subscribes before the report is stored, so that
 * no command is missed in between. Without Redis, it answers at once. The runtime ends this when the client disconnects. If
 * the runtime notices that too late, the command is handed out again after its lease.
 * @param waitSeconds how long the answer may be held; 0: not at all
 * @throws TiebarError `session_ended`
 */
export async function handleReport(
  context: JobContext,
  caller: Caller,
  report: MachineReport,
  waitSeconds: number,
): Promise<Handled> {
  const handle = async () => {
    const [handled] = await handleReports(context, caller, [report], null)
    if (!handled) throw new TypeError('there is one result for each report')
    return handled
  }
  const subscription =
    waitSeconds > 0 ? await context.upstreams.cache.subscribe(channelOf(report.machine_id)) : undefined
  if (!subscription) return await handle()
  try {
    const handled = await handle()
    const { refusal, isOpen, intervalSeconds } = handled
    if (refusal !== null || isOpen) return handled
    const seconds = Math.min(waitSeconds, maxHeldIntervals * intervalSeconds)
    const heldAt = Date.now()
    const found = await waitForCommand(context, caller, report, subscription, seconds)
    const heldSeconds = (Date.now() - heldAt) / 1_000
    return { ...handled, heldSeconds, ...(found && { isOpen: found.is_open, command: found.command }) }
  } finally {
    subscription.close()
  }
}

async function waitForCommand(
  context: JobContext,
  caller: Caller,
  report: MachineReport,
  subscription: Subscription,
  seconds: number,
): Promise<FetchedRow | undefined> {
  const { upstreams, trace, waitUntil } = context
  const messages = await subscription.next(seconds * 1_000)
  if (messages.length === 0) return undefined
  const found = await fetchCommand(upstreams.database, caller, report)
  if (found && found.changed.length > 0) {
    waitUntil(recordTransitions({ trace, cache: upstreams.cache, waitUntil }, found.changed, 'machine'))
  }
  return found
}

/** When the next report is wanted, in seconds from the answer. Time for which the answer was held counts. */
export function nextReportSeconds(handled: Handled[]): number {
  const intervals = handled.map(({ isOpen, intervalSeconds, heldSeconds = 0 }) => {
    return isOpen ? openIntervalSeconds : Math.max(0, Math.ceil(intervalSeconds - heldSeconds))
  })
  return Math.min(...intervals, handled.length === 0 ? defaultIntervalSeconds : Number.POSITIVE_INFINITY)
}

async function store(
  { upstreams, trace, waitUntil }: JobContext,
  caller: Caller,
  rows: ReportRow[],
  siteId: number | null,
): Promise<StoredReports> {
  const stored = await storeReports(upstreams.database, caller, rows, siteId)
  const jobs = [...stored.confirmed, ...stored.machines.flatMap((machine) => machine.changed)]
  const machines = stored.changed.map((machine) => toMachineChange(machine))
  if (jobs.length > 0 || machines.length > 0) {
    waitUntil(recordTransitions({ trace, cache: upstreams.cache, waitUntil }, jobs, 'machine', { machines }))
  }
  return stored
}

/** Stores the outcomes in the reports. @returns why one was not accepted, by machine */
async function storeOutcomes(
  context: JobContext,
  caller: Caller,
  reports: MachineReport[],
  siteId: number | null,
): Promise<Map<number, TiebarError>> {
  const faults = new Map<number, TiebarError>()
  const withOutcome = reports.filter(({ outcome }) => outcome !== undefined)
  if (withOutcome.length === 0) return faults
  const rows = withOutcome.map(toReportRow)
  const descriptions = await checkReports(context.upstreams.database, caller, rows, siteId)
  const store = async ({ machine_id: machineId, outcome }: MachineReport) => {
    const { refusal, is_outcome_known: isKnown } = descriptions.find((each) => each.machine_id === machineId) ?? {}
    if (!outcome || refusal !== null) return
    const fault = await storeOutcome(context, outcome, isKnown === true)
    if (fault) faults.set(machineId, fault)
  }
  await Promise.all(withOutcome.map(store))
  return faults
}

/** @returns why it was not accepted */
async function storeOutcome(
  { upstreams, trace, waitUntil }: JobContext,
  { job_id, result, detail }: NonNullable<MachineReport['outcome']>,
  isKnown: boolean,
): Promise<TiebarError | undefined> {
  const unknown = new TiebarError('not_found', `The machine has no job ${job_id}.`)
  if (!isKnown) return unknown
  const outcome = { result, detail: readDetail(detail), attempt: null, mayHaveExecutedBefore: true }
  const settlement = await settle(upstreams.database, job_id, outcome)
  if (!settlement) return unknown
  const { job, effect, isChanged } = settlement
  if (isChanged) waitUntil(recordTransitions({ trace, cache: upstreams.cache, waitUntil }, [job], 'controller'))
  if (effect !== 'contradiction') return undefined
  return new TiebarError(
    'outcome_contradicts',
    `The job is ${job.state} with ${job.result}; the outcome was added to its timeline.`,
  )
}

/** The command as the machine gets it, with a token for a gateway that passes it on. */
export async function toFetchedCommand(
  context: JobContext,
  job: JobRow,
): Promise<ControllerCommand & { token: string }> {
  const { id, machine_id: machine, sequence, command, not_after } = job
  const claims = { sub: id, machine, sequence, command, not_after, jti: crypto.randomUUID() }
  const [body, token] = await Promise.all([
    toCommand(context, job),
    context.tokens.sign(claims, `machine:${machine}`, tokenSeconds),
  ])
  return { ...body, token }
}
