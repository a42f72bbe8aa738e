// What stands in the way of a command: the rules of its admission, all of them instead of the first.
import { sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { firstOf, sqlList } from '../../infra/rows.ts'
import { toRfc3339 } from '../../kernel/time.ts'
import { explainRefusal } from '../../machines/refusals.ts'
import { isInForce } from '../../machines/sql/hold.ts'
import { machineLevel, type RoleRefusal, refusalsBelow } from '../../sites/sql/role.ts'
import { type Command, commandRules } from '../commands.ts'
import type { Refusal } from '../job.ts'
import { admissionRules } from './create.ts'
import { selectOpenJobs } from './fragments.ts'

export type Obstacle = Refusal | 'role_too_low' | 'scope_missing'
export type Preflight = {
  obstacles: Obstacle[]
  status: string
  holds: { by: number; since: string }[]
  openJob: { by: number; since: string } | null
}

const reading = prepare<Caller & { machineId: number }, Command>((value, command) => {
  const rules = admissionRules(command)
  const named = rules
    .filter(([, name]) => name !== 'repeated')
    .map(([condition, name]) => sql`CASE WHEN ${condition} THEN ${sqlList([name])} END`)
  const all = sql`to_jsonb(array_remove(ARRAY[${sql.join(named, sql`, `)}], NULL))`
  const { scope, isHeld: isRefusedByHold } = commandRules[command]
  const lacksScope = sql`NOT EXISTS (SELECT FROM keys k WHERE k.id = caller.key_id AND ${sqlList([scope])} = ANY (k.scopes))`
  const ofKey =
    value.kind === 'key' ? sql`CASE WHEN ${lacksScope} THEN '["scope_missing"]'::jsonb ELSE '[]' END || ` : sql``
  // An earlier job would be the answer, whatever else stands in the way of a new one.
  const obstacles = sql`${ofKey}CASE ${firstOf(rules)} WHEN 'repeated' THEN '[]'::jsonb ELSE ${all} END`
  const refusal = firstOf(refusalsBelow('viewer', 'machine'))
  const held = isRefusedByHold ? isInForce : sql`false`
  return sql`
    WITH caller AS (${selectCaller(value)}),
    machine AS MATERIALIZED (
      SELECT m.*, ${machineLevel('caller', 'm')} AS level FROM caller, machines m
      WHERE m.id = ${value.machineId}::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (${selectOpenJobs(value.machineId)})
    SELECT ${refusal} AS refusal, ${obstacles} AS obstacles, machine.status,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('by', h.placed_by, 'since', h.placed_at) ORDER BY h.id), '[]')
        FROM holds h WHERE h.machine_id = machine.id AND ${held}) AS holds,
      (SELECT jsonb_build_object('by', requested_by, 'since', requested_at) FROM open_jobs) AS open_job
    FROM caller LEFT JOIN machine ON true`
})

/** @throws TiebarError `not_found`, `not_owner`, `session_ended` */
export async function readPreflight(
  database: Database,
  caller: Caller,
  machineId: number,
  command: Command,
): Promise<Preflight> {
  type Row = {
    refusal: RoleRefusal | null
    obstacles: Obstacle[]
    status: string
    holds: Preflight['holds']
    open_job: Preflight['openJob']
  }
  const rows = await database.query<Row>('read-preflight', reading({ ...caller, machineId }, command))
  const { refusal, obstacles, status, holds, open_job: openJob } = requireCaller(rows)
  if (refusal !== null) throw explainRefusal(refusal)
  const convert = ({ by, since }: { by: number; since: string }) => ({ by, since: toRfc3339(since) })
  return { obstacles, status, holds: holds.map(convert), openJob: openJob && convert(openJob) }
}
