// Reads the board: one page of machines, each with what happens to it now.
import { sql } from 'drizzle-orm'
import { requireCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Sorted, SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { constantSql, sqlList } from '../../infra/rows.ts'
import { openStates } from '../../jobs/job.ts'
import { type JobRow, jobColumns } from '../../jobs/sql/fragments.ts'
import type { Hold } from '../../machines/hold.ts'
import { listedMachineRow, type MachineRow } from '../../machines/sql/fragments.ts'
import { holdFromJson, holdsOf } from '../../machines/sql/hold.ts'
import { type MachineFilter, selectMachines } from '../../machines/sql/read.ts'
import { isAtLeast, machineLevel } from '../../sites/sql/role.ts'

export type BoardRow = MachineRow & {
  /** In force; null if the caller has no role on the machine. */
  holds: Hold[] | null
  /** Null without an open job, or if the caller has no role on the machine. */
  open_job: JobRow | null
}

const isViewer = isAtLeast(machineLevel('caller', 'm', 'memberships'), 'viewer')

const boardRow = constantSql(sql`${listedMachineRow},
  CASE WHEN ${isViewer} THEN ${holdsOf(sql`m.id`)} END AS holds,
  CASE WHEN ${isViewer} THEN (
    SELECT to_jsonb(open_job) FROM (
      SELECT ${jobColumns.of('j')} FROM jobs j WHERE j.machine_id = m.id AND j.state IN (${sqlList(openStates)})
    ) open_job) END AS open_job`)

/** The rows of one page of the board. @throws TiebarError `session_ended` */
export async function listBoard(
  database: Database,
  caller: Caller,
  filter: MachineFilter,
  page: SortedPage,
): Promise<Sorted<BoardRow>[]> {
  const statement = selectMachines(caller, filter, page, boardRow)
  const rows = await database.query<Sorted<BoardRow> | { id: null }>('list-board', statement)
  requireCaller(rows)
  return rows.filter((row) => row.id !== null).map(fromJson)
}

function fromJson({ holds, open_job, ...row }: Sorted<BoardRow>): Sorted<BoardRow> {
  return { ...row, holds: holds?.map(holdFromJson) ?? null, open_job: open_job && jobColumns.fromJson(open_job) }
}
