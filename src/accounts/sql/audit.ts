// SQL fragments with which a statement stores the audit events of its own change, in the same transaction.
import { type SQL, sql } from 'drizzle-orm'
import type { AuditAction, AuditSubject } from '../audit.ts'

/** The subject of an event. @param id a column, or a parameter with a cast */
export function subjectOf(kind: AuditSubject, id: SQL): SQL {
  return sql`${sql.raw(`'${kind}:'`)} || ${id}`
}

/** The columns of one event, for a SELECT from the rows of the change. @param values JSON objects; an absent one is NULL */
export function eventOf(action: AuditAction, subject: SQL, values: { before?: SQL; after?: SQL } = {}): SQL {
  const { before = sql`NULL`, after = sql`NULL` } = values
  return sql`${sql.raw(`'${action}'`)} AS action, ${subject} AS subject, ${before}::jsonb AS before, ${after}::jsonb AS after`
}

/** The body of a CTE that stores events. It needs the CTE `caller`, who is the actor. @param events SELECTs of `eventOf` */
export function recordEvents(...events: SQL[]): SQL {
  return sql`
      INSERT INTO audit_events (actor, key_id, action, subject, before, after)
      SELECT caller.id, caller.key_id, event.* FROM caller, (${sql.join(events, sql` UNION ALL `)}) event`
}

/** The body of the CTE `caller` of a program that is run with access to the database. */
export const noCaller = sql`SELECT NULL::bigint AS id, NULL::uuid AS key_id`

/** A statement that stores one event for all changes of such a program. */
export function recordProgram(action: AuditAction & `database.${string}`): SQL {
  return sql`
    WITH caller AS (${noCaller}) ${recordEvents(sql`SELECT ${eventOf(action, sql`'database'`)}`)}`
}
