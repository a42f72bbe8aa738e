// Parts of statements that several verbs share.
import { type SQL, sql } from 'drizzle-orm'

/**
 * PostgreSQL's clock at the start of the statement. `now()` is the start of the transaction, which is before the wait
 * for the machine's lock: a lease counted from there would be too short, and a START could pass its `not_after`.
 */
export const now = sql.raw('statement_timestamp()')

/** Columns of a `Job`. */
export function jobColumns(alias: string): SQL {
  const names = ['id', 'machine_id', 'machine_owner_id', 'command', 'state', 'result', 'reason', 'detail', 'attempts']
  names.push('requested_by', 'requested_at', 'not_after', 'sent_at', 'finished_at', 'version')
  return sql.raw(names.map((name) => `${alias}.${name}`).join(', '))
}

export function lockMachineOf(jobId: string): SQL {
  return sql`
    SELECT m.id FROM machines m JOIN jobs j ON j.machine_id = m.id WHERE j.id = ${jobId}::uuid
    FOR NO KEY UPDATE OF m`
}

/** A lease is one attempt's and nobody else's. */
export function leaseOf(jobId: string, attempt: number): string {
  return `${jobId}:${attempt}`
}
