// Sort orders of a list, defined once for the query parameter, ORDER BY, the cursor and the condition of the next page.
import { type SQL, sql } from 'drizzle-orm'
import type { Columns } from '../../infra/rows.ts'
import type { Cursor } from '../../kernel/page.ts'
import { sortValueCheck } from './sort-values.ts'

/** A column for ascending order, or a column with `-` before it for descending order. */
export type Order<Name extends string> = Name | `-${Name}`

export type Sorts<Name extends string> = {
  names: readonly Name[]
  /** The allowed values of the query parameter `sort`. */
  orders: Order<Name>[]
  /** Whether PostgreSQL can read the values of a cursor. */
  accepts(order: Order<Name>, cursor: Cursor): boolean
  /** @param after the last row of the previous page */
  page(order: Order<Name>, limit: number, after?: Cursor): SortedPage
}

/** One page of a sorted list, as parts of a statement. `alias` is the alias of the table in the statement. */
export type SortedPage = {
  order: string
  limit: number
  /** The column that breaks ties, and is part of the cursor. */
  key: string
  /**
   * One row more than the page shows. The extra row shows that there is a next page. It is a literal: a statement that is
   * planned once, without its parameters, must know that it needs few rows.
   */
  rowLimit: SQL
  /** A column to select with the row: `sort_value`, for the cursor. */
  sortValue(alias: string): SQL
  /** Conditions for WHERE: only rows after the previous page. Empty for the first page. */
  conditions(alias: string): SQL[]
  /** The list for ORDER BY. */
  orderBy(alias: string): SQL
}

/** The row of a sorted list. */
export type Sorted<Row> = Row & { sort_value: string }

/**
 * Sort columns belong to the row and are never null.
 * @param key breaks ties: no two rows of a list have the same
 * @throws TypeError for a type without an order
 */
export function defineSorts<
  Row extends object,
  Sortable extends keyof Row,
  const Name extends Sortable & string,
  const Key extends Sortable & string,
>(columns: Columns<Row, Sortable>, names: readonly Name[], key: Key): Sorts<Name> {
  const accepts = (name: Name | Key, value: string) => sortValueCheck(columns.sortTypeOf(name))(value)
  // Throws when the Worker starts, instead of when a client asks for the second page.
  for (const name of [...names, key]) sortValueCheck(columns.sortTypeOf(name))
  return {
    names,
    orders: names.flatMap((name): Order<Name>[] => [name, `-${name}`]),
    accepts: (order, { value, id }) => accepts(columnOf(order), value) && accepts(key, id),
    page(order, limit, after) {
      const name = columnOf(order)
      const [direction, beyond] = order.startsWith('-') ? ['DESC', '<'] : ['ASC', '>']
      const [type, keyType] = [sql.raw(columns.sortTypeOf(name)), sql.raw(columns.sortTypeOf(key))]
      const toCondition = (alias: string, { value, id }: Cursor) =>
        sql`${sql.raw(`(${alias}.${name}, ${alias}.${key}) ${beyond}`)} (${value}::${type}, ${id}::${keyType})`
      return {
        order,
        limit,
        key,
        rowLimit: toLiteral(limit + 1),
        sortValue: (alias) => sql.raw(`${alias}.${name}::text AS sort_value`),
        conditions: (alias) => (after ? [toCondition(alias, after)] : []),
        orderBy: (alias) => sql.raw(`${alias}.${name} ${direction}, ${alias}.${key} ${direction}`),
      }
    },
  }
}

function toLiteral(limit: number): SQL {
  if (!Number.isSafeInteger(limit)) throw new TypeError('a limit is an integer')
  return sql.raw(String(limit))
}

function columnOf<Name extends string>(order: Order<Name>): Name {
  return order.replace(/^-/, '') as Name // no column name begins with `-`
}
