// Reads audit events. In this slice, because who may read those of a site depends on its machines.
import { type SQL, sql } from 'drizzle-orm'
import { auditEvents } from '../../accounts/audit.table.ts'
import type { AuditAction, AuditValues } from '../../accounts/audit.ts'
import { subjectOf } from '../../accounts/sql/audit.ts'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { SessionCaller } from '../../http/context.ts'
import { defineSorts, type Sorted, type SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { pickColumns, type RowOf } from '../../infra/rows.ts'
import { toRfc3339 } from '../../kernel/time.ts'
import { isAtLeast, machineLevel, selectMemberships, siteLevel } from '../../sites/sql/role.ts'
import { isOwnOfCaller } from './fragments.ts'

export const auditColumns = pickColumns(auditEvents, [
  'id',
  'at',
  'actor',
  'key_id',
  'action',
  'subject',
  'before',
  'after',
])
export type AuditRow = RowOf<typeof auditColumns>
export const auditSorts = defineSorts(auditColumns, ['at'], 'id')

/** A row that may have more columns. The values are JSON, whose times are converted. */
export function toAuditEvent(row: AuditRow): AuditRow {
  return { ...auditColumns.pick(row), before: readValues(row.before), after: readValues(row.after) }
}

function readValues(values: AuditValues | null): AuditValues | null {
  const { expires_at: time } = values ?? {}
  return typeof time === 'string' ? { ...values, expires_at: toRfc3339(time) } : values
}

export type AuditFilter = {
  actor?: number | 'me' | undefined
  action?: AuditAction | undefined
  subject?: string | undefined
  /** Inclusive, RFC 3339. */
  from?: string | undefined
  /** Exclusive, RFC 3339. */
  to?: string | undefined
}

function conditionsOf({ actor, action, subject, from, to }: AuditFilter, page: SortedPage): SQL[] {
  const conditions = page.conditions('e')
  if (actor === 'me') conditions.push(sql`e.actor = caller.id`)
  else if (actor !== undefined) conditions.push(sql`e.actor = ${actor}::bigint`)
  if (action !== undefined) conditions.push(sql`e.action = ${action}`)
  if (subject !== undefined) conditions.push(sql`e.subject = ${subject}`)
  if (from !== undefined) conditions.push(sql`e.at >= ${from}::timestamptz`)
  if (to !== undefined) conditions.push(sql`e.at < ${to}::timestamptz`)
  return conditions
}

/** OFFSET 0 makes PostgreSQL read the machines of each membership by an index, whatever number it expects. */
const machinesOfMembers = (condition: string) =>
  sql.raw(`SELECT m.* FROM memberships member CROSS JOIN LATERAL (
        SELECT id, owner_id, site_id FROM machines WHERE ${condition} OFFSET 0) m`)

/** The machines on which the caller may be a manager, also deleted ones. */
const machinesOfCaller = sql`
      SELECT m.id, m.owner_id, m.site_id FROM machines m WHERE ${isOwnOfCaller('m')}
      UNION ${machinesOfMembers('machines.id = member.machine_id')}
      UNION ${machinesOfMembers('machines.site_id = member.site_id')}`

/** The machines and sites that the caller manages, and the keys that are limited to them. */
const subjectsOfManager = sql`
      SELECT ${subjectOf('machine', sql`id`)} AS subject FROM managed_machines
      UNION ALL SELECT ${subjectOf('site', sql`id`)} FROM managed_sites
      UNION ALL SELECT ${subjectOf('key', sql`k.id`)} FROM managed_machines m JOIN keys k ON k.machine_id = m.id
      UNION ALL SELECT ${subjectOf('key', sql`k.id`)} FROM managed_sites s JOIN keys k ON k.site_id = s.id`

/**
 * The rows of one page of audit events: all of them for staff; for others those of their machines and sites, each of which
 * is one range of an index, so that the cost does not depend on the events of others.
 * @throws TiebarError `session_ended`
 */
export async function listAuditEvents(
  database: Database,
  caller: SessionCaller,
  filter: AuditFilter,
  page: SortedPage,
): Promise<Sorted<AuditRow>[]> {
  const conditions = conditionsOf(filter, page)
  const selectEvents = (scope: SQL) => sql`
    SELECT ${auditColumns.of('e')}, ${page.sortValue('e')} FROM audit_events e
    WHERE ${sql.join([scope, ...conditions], sql` AND `)}
    ORDER BY ${page.orderBy('e')} LIMIT ${page.rowLimit}`
  const rows = await database.query<Sorted<AuditRow> | { id: null }>(
    'list-audit-events',
    sql`
    WITH caller AS (${selectCaller(caller)}), memberships AS MATERIALIZED (${selectMemberships}),
    managed_machines AS (
      SELECT m.id FROM caller, (${machinesOfCaller}) m
      WHERE NOT caller.is_staff AND ${isAtLeast(machineLevel('caller', 'm', 'memberships'), 'manager')}
    ),
    managed_sites AS (
      SELECT s.id FROM caller, memberships member JOIN sites s ON s.id = member.site_id
      WHERE NOT caller.is_staff AND ${isAtLeast(siteLevel('caller'), 'manager')}
    ),
    subjects AS (${subjectsOfManager})
    SELECT page.* FROM caller LEFT JOIN LATERAL (
      SELECT * FROM (
        (${selectEvents(sql`caller.is_staff`)})
        UNION ALL
        SELECT event.* FROM subjects CROSS JOIN LATERAL (${selectEvents(sql`e.subject = subjects.subject`)}) event
      ) merged
      ORDER BY ${page.orderBy('merged')} LIMIT ${page.rowLimit}
    ) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  requireCaller(rows)
  return rows.filter((row) => row.id !== null)
}
