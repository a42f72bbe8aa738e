// SQL fragments that the statements on jobs share.
import { type SQL, sql } from 'drizzle-orm'
import { pickColumns, type RowOf, sqlList } from '../../infra/rows.ts'
import { type CommandRule, commandRules, commands } from '../commands.ts'
import { jobs } from '../job.table.ts'
import { openStates } from '../job.ts'

/**
 * PostgreSQL's clock at the start of the statement. `now()` is the start of the transaction, before the wait for the
 * machine's lock: with it, a lease would be too short, and a START could be sent after its `not_after`.
 */
export const now = sql.raw('statement_timestamp()')

/** A CASE expression: the name of the first rule whose condition is true, as text or NULL. */
export function firstOf<Name extends string>(rules: readonly [condition: SQL, name: Name | null][]): SQL {
  const cases = rules.map(([condition, name]) => {
    return sql`WHEN ${condition} THEN ${name === null ? sql`NULL` : sqlList([name])}`
  })
  return sql`CASE ${sql.join(cases, sql` `)} END`
}

/** A CASE expression on the command of a job `j`, with one value for each rule in `commands.ts`. */
export function byCommand(valueFrom: (rule: CommandRule) => SQL | null): SQL {
  const cases = commands.map((command) => {
    return sql`WHEN ${sqlList([command])} THEN ${valueFrom(commandRules[command]) ?? sql`NULL`}`
  })
  return sql`CASE j.command ${sql.join(cases, sql` `)} END`
}

/** A number from our code as SQL text, because a parameter would have no type. */
export function numberLiteral(value: number): SQL {
  return sql.raw(String(value))
}

/** The columns of a job that the API shows. */
export const jobColumns = pickColumns(jobs, [
  'id',
  'machine_id',
  'machine_owner_id',
  'command',
  'state',
  'result',
  'reason',
  'detail',
  'attempts',
  'requested_by',
  'requested_at',
  'not_after',
  'sent_at',
  'finished_at',
  'version',
])
/** A job as PostgreSQL returns it. Statements add their own columns. */
export type JobRow = RowOf<typeof jobColumns>

/** A CTE body: the open jobs of a machine, at most one for each command. */
export function selectOpenJobs(machineId: number): SQL {
  return sql`SELECT * FROM jobs WHERE machine_id = ${machineId}::bigint AND state IN (${sqlList(openStates)})`
}

/** Locks the machine of a job. The next statement of the batch decides about the job under this lock. */
export function lockMachineOf(jobId: string): SQL {
  return sql`
    SELECT m.id FROM machines m JOIN jobs j ON j.machine_id = m.id WHERE j.id = ${jobId}::uuid
    FOR NO KEY UPDATE OF m`
}

/** The value of `leased_by`: a lease belongs to one attempt of one job. */
export function leaseOf(jobId: string, attempt: number): string {
  return `${jobId}:${attempt}`
}
