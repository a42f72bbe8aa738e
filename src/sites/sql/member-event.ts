// The audit event of a changed member.
import { type SQL, sql } from 'drizzle-orm'
import type { AuditAction } from '../../accounts/audit.ts'
import { eventOf } from '../../accounts/sql/audit.ts'

const valuesOf = (row: string) =>
  sql.raw(`jsonb_build_object('account_id', ${row}.account_id, 'role', ${row}.role, 'expires_at', ${row}.expires_at)`)

/** The columns of an event, for a SELECT. @param rows the aliases of the member's row before and after the change */
export function memberEvent(action: AuditAction, subject: SQL, rows: { before?: string; after?: string }): SQL {
  return eventOf(action, subject, {
    ...(rows.before !== undefined && { before: valuesOf(rows.before) }),
    ...(rows.after !== undefined && { after: valuesOf(rows.after) }),
  })
}
