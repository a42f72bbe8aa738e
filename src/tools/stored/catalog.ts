// The calls whose statements PostgreSQL keeps as functions: those of every job, every report and every page that people
// open. A call with another shape, such as a list with a filter, sends its statements as text.
import { rotateRefresh } from '../../accounts/sql/sign-in.ts'
import type { Caller, KeyCaller, SessionCaller } from '../../http/context.ts'
import type { RequestKey } from '../../http/idempotency/store.ts'
import type { Database } from '../../infra/database.ts'
import { commands } from '../../jobs/commands.ts'
import type { ControllerResult } from '../../jobs/job.ts'
import { claim } from '../../jobs/sql/claim.ts'
import { createJob } from '../../jobs/sql/create.ts'
import { historySorts, listMachineHistory, listMyHistory, readJob } from '../../jobs/sql/read.ts'
import { markPublished, redispatchDueJobs, redispatchJob } from '../../jobs/sql/redispatch.ts'
import { refreshReports } from '../../jobs/sql/refresh-reports.ts'
import type { ReportRow } from '../../jobs/sql/report-input.ts'
import { settle } from '../../jobs/sql/settle.ts'
import { listBoard } from '../../live/sql/board.ts'
import { listMachines, machineSorts, readMachine } from '../../machines/sql/read.ts'

export type Call = (database: Database) => Promise<unknown>

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

export const storedCalls: Call[] = [
  (database) => rotateRefresh(database, session, id, id),
  ...callers.flatMap((caller): Call[] => [
    (database) => readMachine(database, caller, 1),
    (database) => readJob(database, caller, id),
    (database) => listMachineHistory(database, caller, 1, {}, historySorts.page('-requested_at', 20)),
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
      return [undefined, idempotencyKey].map((each) => (database) => createJob(database, caller, request, each))
    }),
  ]),
  ...machineSorts.orders.map(
    (order): Call =>
      (database) =>
        listMachines(database, session, {}, machineSorts.page(order, 20)),
  ),
  (database) => claim(database, id),
  ...usualResults.flatMap((result): Call[] =>
    [1, null].map((attempt) => (database) => settle(database, id, { ...settlement, result, attempt })),
  ),
  (database) => markPublished(database, [{ jobId: id, publishNo: 1 }], true),
  (database) => markPublished(database, [{ jobId: id, publishNo: 1 }], false),
  (database) => redispatchJob(database, id),
  (database) => redispatchDueJobs(database, 100),
  (database) => refreshReports(database, key, [report], null),
  (database) => refreshReports(database, key, [report, report], 1),
]
