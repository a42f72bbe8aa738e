// What PostgreSQL did to execute a statement.
import type { Statement } from '../src/infra/sql-client.ts'
import type { PostgresStandIn } from './platform/postgres.ts'

export type PlanNode = {
  'Node Type': string
  'Index Name'?: string
  'Actual Rows': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Join Filter'?: number
  'Actual Loops': number
  Plans?: PlanNode[]
}

/** Executes the last of these statements: one that sets the output may precede it. @returns the nodes that were executed */
export async function explain({ query }: PostgresStandIn, statements: Statement[]): Promise<PlanNode[]> {
  const statement = statements.at(-1)
  const [row] = await query(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${statement?.query}`, statement?.params)
  const [explained] = (row?.['QUERY PLAN'] ?? []) as { Plan: PlanNode }[] // the format of FORMAT JSON
  if (!explained) throw new Error('PostgreSQL shows no plan')
  return flatten(explained.Plan)
}

function flatten(node: PlanNode): PlanNode[] {
  return node['Actual Loops'] === 0 ? [] : [node, ...(node.Plans ?? []).flatMap(flatten)]
}

/** The largest number of rows that one node returned or discarded. */
export function mostRowsRead(nodes: PlanNode[]): number {
  const removedBy = (node: PlanNode) =>
    (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Join Filter'] ?? 0)
  return Math.max(...nodes.map((node) => (node['Actual Rows'] + removedBy(node)) * node['Actual Loops']))
}
