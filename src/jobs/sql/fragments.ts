// SQL fragments that the statements on jobs share.
import { type Placeholder, type Query, type SQL, sql } from 'drizzle-orm'
import { prepare } from '../../infra/prepare.ts'
import { pickColumns, type RowOf, sqlList } from '../../infra/rows.ts'
import { type CommandRule, commandRules, commands, queueSilenceSeconds, retryDelaysSeconds } from '../commands.ts'
import { jobs } from '../job.table.ts'
import { openStates } from '../job.ts'

/**
 * PostgreSQL's clock at the start of the statement. `now()` is the start of the transaction, before the wait for the
 * machine's lock: with it, a lease would be too short, and a START could be sent after its `not_after`.
 */
export const now = sql.raw('statement_timestamp()')

/** A CASE expression on the command of a job `j`, with one value for each rule in `commands.ts`. */
export function byCommand(valueFrom: (rule: CommandRule) => SQL | null): SQL {
  const cases = commands.map((command) => {
    return sql`WHEN ${sqlList([command])} THEN ${valueFrom(commandRules[command]) ?? sql`NULL`}`
  })
  return sql`CASE j.command ${sql.join(cases, sql` `)} END`
}

/** A job that QStash has not delivered this long after the request is published again by the sweep. */
export const unpublishedSeconds = 5

/** A number from our code as SQL text, because a parameter would have no type. */
export function numberLiteral(value: number): SQL {
  return sql.raw(String(value))
}

/** An SQL expression: a number of seconds as an interval. */
export function seconds(value: SQL): SQL {
  return sql`make_interval(secs => ${value})`
}

/** The delay before the next attempt, as an interval. @param attempts SQL: how many attempts have begun, at least 1 */
export function delayAfter(attempts: SQL): SQL {
  const delays = sql.raw(retryDelaysSeconds.join(', '))
  return seconds(sql`(ARRAY[${delays}])[least(${attempts}, ${numberLiteral(retryDelaysSeconds.length)})]`)
}

/** `due_at` of a job that the queue delivers next at `time`. It is at most `not_after`: the sweep then ends the job. */
export function dueAfterDelivery(time: SQL): SQL {
  return sql`least(${time} + interval '${numberLiteral(queueSilenceSeconds)} seconds', jobs.not_after)`
}

/** The columns of a job that the API shows. */
export const jobColumns = pickColumns(jobs, [
  'id',
  'machine_id',
  'machine_owner_id',
  'command',
  'sequence',
  'state',
  'result',
  'reason',
  'detail',
  'attempts',
  'requested_by',
  'key_id',
  'requested_at',
  'not_after',
  'sent_at',
  'finished_at',
  'confirmed_at',
  'version',
])
/** A job as PostgreSQL returns it. Statements add their own columns. */
export type JobRow = RowOf<typeof jobColumns>

/** A job after a change, with what the change feed tells of its machine. */
export type ChangedJob = JobRow & {
  /** The site of the machine. */
  site_id: number | null
  /** The new revision of the machine; null if only the job has changed. */
  revision: number | null
}

/** A CTE body: the open jobs of a machine; there is at most one. */
export function selectOpenJobs(machineId: number | Placeholder): SQL {
  return sql`SELECT * FROM jobs WHERE machine_id = ${machineId}::bigint AND state IN (${sqlList(openStates)})`
}

/** Locks the machine of a job. The next statement of the batch decides about the job under this lock. */
export const lockMachineOf: (values: { jobId: string }) => Query = prepare<{ jobId: string }>(
  ({ jobId }) => sql`
    SELECT m.id FROM machines m JOIN jobs j ON j.machine_id = m.id WHERE j.id = ${jobId}::uuid
    FOR NO KEY UPDATE OF m`,
)

/** The value of `leased_by`: a lease belongs to one attempt of one job. */
export function leaseOf(jobId: string, attempt: number): string {
  return `${jobId}:${attempt}`
}
