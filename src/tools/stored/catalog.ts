// The calls whose statements PostgreSQL keeps as functions: those of every job, every report, every page that people open and
// what they often change. A call with another shape, such as a list with a filter, sends its statements as text.
import { rotateRefresh } from '../../accounts/sql/sign-in.ts'
import type { Caller, KeyCaller, SessionCaller } from '../../http/context.ts'
import type { RequestKey } from '../../http/idempotency/store.ts'
import { commands } from '../../jobs/commands.ts'
import type { ControllerResult } from '../../jobs/job.ts'
import { cancelJob } from '../../jobs/sql/cancel.ts'
import { claim } from '../../jobs/sql/claim.ts'
import { createJob } from '../../jobs/sql/create.ts'
import { checkReports } from '../../jobs/sql/describe-reports.ts'
import { selectOpenJobs } from '../../jobs/sql/fragments.ts'
import { removeHold } from '../../jobs/sql/holds.ts'
import { placeHold } from '../../jobs/sql/place-hold.ts'
import { readPreflight } from '../../jobs/sql/preflight.ts'
import {
  eventSorts,
  historySorts,
  listEvents,
  listMachineHistory,
  listMyHistory,
  readJob,
} from '../../jobs/sql/read.ts'
import { redispatchDueJobs, redispatchJob } from '../../jobs/sql/redispatch.ts'
import { refreshReports } from '../../jobs/sql/refresh-reports.ts'
import type { ReportRow } from '../../jobs/sql/report-input.ts'
import { settle } from '../../jobs/sql/settle.ts'
import { fetchCommand, storeReports } from '../../jobs/sql/store-reports.ts'
import { readAudience } from '../../live/sql/audience.ts'
import { listBoard } from '../../live/sql/board.ts'
import { newMachineBody } from '../../machines/schema.ts'
import { createChangeMachine, type MachineChange } from '../../machines/sql/change.ts'
import { insertMachine } from '../../machines/sql/create.ts'
import { listMachines, machineSorts, readMachine } from '../../machines/sql/read.ts'
import { listStatuses, statusSorts } from '../../machines/sql/statuses.ts'
import type { Call } from './record.ts'

const id = '00000000-0000-7000-8000-000000000000'
const session: SessionCaller = { kind: 'session', accountId: 1, sessionId: id }
const key: KeyCaller = { kind: 'key', keyId: id, secretHash: '', scopes: ['read'] }
const callers: Caller[] = [session, key]
const idempotencyKey: RequestKey = { callerName: '', method: 'POST', path: '', key: '', fingerprint: '' }

const report: ReportRow = {
  machine_id: 1,
  boot_id: 'boot',
  seq: 1,
  status: 'READY',
  mode: null,
  remote_enabled: null,
  cycles: null,
  last_cycle_ms: null,
  alarm_code: null,
  alarm_text: null,
  interval_seconds: 10,
  outcome_job_id: null,
}
const settlement = { detail: null, mayHaveExecutedBefore: false }
/** The usual answers of controllers. Each plan takes memory in every connection, and other answers are rare. */
const usualResults: ControllerResult[] = ['SUCCESS', 'REMOTEFAILED', 'PENDING']
/** What people and programs ask for most: the default of the API, and the page of the console. */
const pageLimits = [20, 100]
const changeMachine = createChangeMachine(selectOpenJobs)
/** What people change: texts, and one of these columns. */
const usualChanges: (MachineChange | 'delete')[] = [
  {},
  { status: 'READY' },
  { controller_url: 'https://example.com/' },
  'delete',
]

export const storedCalls: Call[] = [
  (database) => rotateRefresh(database, session, id, id),
  ...callers.flatMap((caller): Call[] => [
    (database) => readMachine(database, caller, 1),
    (database) => readJob(database, caller, id),
    (database) => readAudience(database, caller),
    (database) => listMachineHistory(database, caller, 1, {}, historySorts.page('-requested_at', 20)),
    (database) => listStatuses(database, caller, 1, { from: '2026-11-22T09:30:00Z' }, statusSorts.page('-at', 100)),
    (database) => listMyHistory(database, caller, {}, historySorts.page('-requested_at', 20)),
    ...pageLimits.map((limit): Call => {
      const page = machineSorts.page('id', limit)
      return (database) => listBoard(database, caller, {}, page)
    }),
    ...pageLimits.map(
      (limit): Call =>
        (database) =>
          listMachines(database, caller, {}, machineSorts.page('id', limit)),
    ),
    ...commands.flatMap((command): Call[] => {
      const request = { jobId: id, machineId: 1, command, expiresInSeconds: 60 }
      return [
        ...[undefined, idempotencyKey].map(
          (each): Call =>
            (database) =>
              createJob(database, caller, request, each),
        ),
        (database) => readPreflight(database, caller, 1, command),
      ]
    }),
  ]),
  ...machineSorts.orders.map(
    (order): Call =>
      (database) =>
        listMachines(database, session, {}, machineSorts.page(order, 20)),
  ),
  ...[undefined, idempotencyKey].flatMap((each) =>
    [null, 1].map((site_id): Call => {
      const machine = { ...newMachineBody.parse({ name: 'any', location: 'any' }), site_id }
      return (database) => insertMachine(database, session, machine, each, 1)
    }),
  ),
  ...usualChanges.map(
    (change): Call =>
      (database) =>
        changeMachine(database, session, 1, change, undefined),
  ),
  (database) => placeHold(database, session, 1, ''),
  (database) => removeHold(database, session, 1, 1),
  (database) => cancelJob(database, session, id, null),
  (database) => listEvents(database, session, id, eventSorts.page('version', 100)),
  (database) => claim(database, id, 'queue'),
  ...usualResults.flatMap((result): Call[] =>
    [1, null].map((attempt) => (database) => settle(database, id, { ...settlement, result, attempt })),
  ),
  (database) => redispatchJob(database, id),
  (database) => redispatchDueJobs(database, 100),
  (database) => refreshReports(database, key, [report], null),
  (database) => refreshReports(database, key, [report, report], 1),
  (database) => storeReports(database, key, [report], null),
  (database) => storeReports(database, key, [report, report], 1),
  (database) => checkReports(database, key, [report], null),
  (database) => fetchCommand(database, key, report),
]
