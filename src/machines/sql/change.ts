// Changes and deletes machines: one batch locks the row, and decides in the next statement.
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { recordEvents } from '../../accounts/sql/audit.ts'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { firstOf, sqlList, type ValuesOf } from '../../infra/rows.ts'
import { machineLevel, refusalsBelow } from '../../sites/sql/role.ts'
import { keepSite } from '../../sites/sql/sites.ts'
import type { MachineStatus } from '../machine.ts'
import { explainRefusal, type refusals } from '../refusals.ts'
import type { machinePatchBody } from '../schema.ts'
import { deletionEvent, eventsOfChange } from './change-events.ts'
import {
  addressOf,
  isControllerTaken,
  lockMachine,
  type Machine,
  type MachineRow,
  machineColumns,
  machineRow,
  refusalsOfSite,
  type SiteRefusal,
  selectDestination,
} from './fragments.ts'
import { hasFreshReport } from './report.ts'

/**
 * A CTE body: the open jobs of a machine, with `id` and `requested_at`. `app.ts` passes it in, because this slice
 * must not import the jobs slice, which defines the states.
 */
export type SelectOpenJobs = (machineId: number | Placeholder) => SQL

/** An absent field is not changed. */
export type MachineChange = ValuesOf<z.infer<typeof machinePatchBody>, Machine>

type ChangeDecision = keyof typeof refusals | SiteRefusal | 'unchanged' | 'changed'

/** These columns cannot be changed while a job is open. A change of them is one by hand. */
const lockedByOpenJobs: readonly string[] = ['status', 'controller_url'] satisfies (keyof Machine)[]

const hasController = sql`target.controller_url IS NOT NULL`
/** In these statuses the machine needs its controller, because only a STOP can end them. */
const needsController = sql`target.status IN (${sqlList(['RUNNING', 'PENDING'] satisfies MachineStatus[])})`

/** Without a site, every account can see the machine. A key for a site decides about this site only. */
const leavesSiteOfKey = sql`EXISTS (SELECT FROM caller WHERE key_site_id IS NOT NULL)`

type SiteRule = [condition: SQL, name: SiteRefusal | 'key_not_allowed']
/** Why the caller may not move the machine, by what the change does to its site. */
const rulesOfSite: Record<PartChange, SiteRule[]> = {
  kept: [],
  removed: [[leavesSiteOfKey, 'key_not_allowed']],
  set: refusalsOfSite,
}

/** They are kept where their value is null: one statement for each of them would take memory in every connection. */
const texts = ['name', 'location'] as const satisfies (keyof Machine)[]
type Text = (typeof texts)[number]

type Change = Caller & {
  id: number
  address: string | null
  isConditional: boolean
  revisions: number[]
} & Omit<MachineChange, Text> &
  Record<Text, string | null>
type ChangeShape = {
  /** Those that change, besides the texts. */
  columns: (keyof Machine)[]
  isDeleted: boolean
  /** What the change does to the controller of the machine. */
  controller: PartChange
  /** What it does to its site. */
  site: PartChange
}
type PartChange = 'kept' | 'removed' | 'set'

/** The statement that decides about a change, under the lock of the machine. */
function prepareChange(selectOpenJobs: SelectOpenJobs) {
  const now = sql`statement_timestamp()`
  return prepare<Change, ChangeShape>((value, { columns, isDeleted, controller, site }) => {
    const changedTexts = texts.map((column) => {
      return {
        column,
        name: sql.identifier(column),
        value: sql`coalesce(${value[column]}::text, ${sql.identifier(column)})`,
      }
    })
    const bindings = isDeleted ? [] : [...changedTexts, ...machineColumns.bind(columns, value)]
    const differences = bindings.map(({ name, value }) => sql`target.${name} IS DISTINCT FROM ${value}`)
    const isChanged = isDeleted ? sql`true` : anyOf(differences)
    const isOperational = isDeleted
      ? sql`true`
      : anyOf(differences.filter((_, index) => lockedByOpenJobs.includes(bindings[index]?.column ?? '')))
    const removesController = isDeleted ? sql`true` : controller === 'removed' ? hasController : sql`false`
    const isTaken = controller === 'set' ? isControllerTaken(value) : sql`false`
    const setsStatus = columns.includes('status')
      ? sql`target.status <> ${value.status}::text AND ${hasFreshReport(sql`target.id`)}`
      : sql`false`
    const settings = bindings.map(({ name, value }) => sql`${name} = ${value}`)
    if (columns.includes('status')) {
      const isKept = sql`status = ${value.status}::text`
      settings.push(sql`status_source = CASE WHEN ${isKept} THEN status_source ELSE 'person' END`)
      settings.push(sql`status_at = CASE WHEN ${isKept} THEN status_at ELSE ${now} END`)
    }
    if (isDeleted) settings.push(sql`deleted_at = ${now}`)
    if (columns.includes('controller_url')) {
      const isKept = sql`controller_url IS NOT DISTINCT FROM ${value.controller_url}`
      for (const column of [sql`controller_confirmed_at`, sql`confirmed_address`]) {
        settings.push(sql`${column} = CASE WHEN ${isKept} THEN ${column} END`)
      }
    }
    const isMoved = sql`target.site_id IS DISTINCT FROM ${value.site_id}::bigint`
    const siteRules = rulesOfSite[site]
    const decision = firstOf<ChangeDecision>([
      ...refusalsBelow('manager', 'access'),
      [
        sql`${value.isConditional}::boolean AND NOT target.revision = ANY (${value.revisions}::bigint[])`,
        'precondition_failed',
      ],
      ...siteRules.map(([condition, name]): SiteRule => [sql`${isMoved} AND ${condition}`, name]),
      [sql`EXISTS (SELECT FROM open_jobs) AND ${isOperational}`, 'job_open'],
      [sql`${removesController} AND ${needsController}`, 'machine_running'],
      [setsStatus, 'machine_reports'],
      [isTaken, 'controller_taken'],
      [isChanged, 'changed'],
      [sql`true`, 'unchanged'],
    ])
    const events = isDeleted ? [deletionEvent] : eventsOfChange(columns)
    return sql`
    WITH caller AS (${selectCaller(value)}),
    target AS (SELECT * FROM machines WHERE id = ${value.id}::bigint AND deleted_at IS NULL),
    access AS MATERIALIZED (
      SELECT target.id, ${machineLevel('caller', 'target')} AS level FROM caller LEFT JOIN target ON true
    ),
    open_jobs AS (${selectOpenJobs(value.id)}),
    destination AS (${site === 'set' ? selectDestination(value) : sql`SELECT NULL::bigint AS id`}),
    decision AS (
      SELECT ${decision} AS decision, ${isOperational} AS is_manual
      FROM access CROSS JOIN destination LEFT JOIN target ON true
    ),
    changed AS (
      UPDATE machines SET ${sql.join([...settings, sql`updated_at = ${now}`, sql`revision = revision + 1`], sql`, `)},
        manual_sequence = CASE WHEN decision.is_manual THEN last_sequence ELSE manual_sequence END
      FROM decision WHERE machines.id = ${value.id}::bigint AND decision.decision = 'changed'
      RETURNING machines.*
    ),${events.length === 0 ? sql`` : sql` events AS (${recordEvents(...events)}),`}
    m AS (
      SELECT * FROM changed
      UNION ALL SELECT target.* FROM target, decision WHERE decision.decision = 'unchanged'
    )
    SELECT decision.decision, (SELECT id FROM open_jobs ORDER BY requested_at DESC LIMIT 1) AS job_id,
      (SELECT site_id FROM target) AS site_before, ${machineRow}
    FROM caller CROSS JOIN decision LEFT JOIN m ON true`
  })
}

/**
 * Changes or deletes a machine. If no value differs, `revision` and `updated_at` are kept, so that the `If-Match` of
 * other clients still succeeds.
 * @param revisions the revisions that `If-Match` accepts; undefined if it accepts any
 * @throws TiebarError with a code of `refusals`, or `session_ended`
 */
export type ChangeMachine = (
  database: Database,
  caller: Caller,
  id: number,
  change: MachineChange | 'delete',
  revisions: number[] | undefined,
) => Promise<{ row: MachineRow; isChanged: boolean; siteBefore: number | null }>

export function createChangeMachine(selectOpenJobs: SelectOpenJobs): ChangeMachine {
  const decision = prepareChange(selectOpenJobs)
  return async function changeMachine(database, caller, id, change, revisions) {
    const isDeleted = change === 'delete'
    const { name, location, ...values }: MachineChange = isDeleted ? {} : change
    const url = values.controller_url
    const decide = decision(
      {
        ...values,
        ...caller,
        id,
        name: name ?? null,
        location: location ?? null,
        address: addressOf(url),
        isConditional: revisions !== undefined,
        revisions: revisions ?? [],
      },
      {
        columns: machineColumns.namesIn(values),
        isDeleted,
        controller: partChangeOf(url),
        site: partChangeOf(values.site_id),
      },
    )
    const locks = [...(values.site_id ? [keepSite(caller, values.site_id)] : []), lockMachine(caller, id, 'manager')]
    type Row = MachineRow & { decision: ChangeDecision; job_id: string | null; site_before: number | null }
    const row = requireCaller(await database.batch<Row>('change-machine', [...locks, decide]))
    const { decision: decided, job_id: jobId, site_before: siteBefore } = row
    if (decided !== 'changed' && decided !== 'unchanged') throw explainRefusal(decided, jobId)
    return { row, isChanged: decided === 'changed', siteBefore }
  }
}

function partChangeOf(value: unknown): PartChange {
  return value === undefined ? 'kept' : value === null ? 'removed' : 'set'
}

function anyOf(conditions: SQL[]): SQL {
  return conditions.length === 0 ? sql`false` : sql`(${sql.join(conditions, sql` OR `)})`
}
