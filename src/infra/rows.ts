// Column lists for SELECT and the types of the returned rows. Both come from the drizzle tables.
import { type Column, getTableColumns, type SQL, sql, type Table } from 'drizzle-orm'
import { toRfc3339 } from '../kernel/time.ts'
import { type Bindable, render } from './prepare.ts'

/** The columns of a table by their names in PostgreSQL. */
type ByName<Of extends Table> = {
  [Key in keyof Of['_']['columns'] as Of['_']['columns'][Key]['_']['name']]: Of['_']['columns'][Key]
}

/** The type of a column's value after the readers in `sql-client.ts`. A time is RFC 3339 text. */
type ValueOf<Of> = Of extends Column
  ? (Of['_']['data'] extends Date ? string : Of['_']['data']) | (Of['_']['notNull'] extends true ? never : null)
  : never

type SortableType = 'PgBigInt53' | 'PgInteger' | 'PgText' | 'PgTimestamp' | 'PgUUID'
type IfSortable<Of, Name> = Of extends { _: { notNull: true; columnType: SortableType } } ? Name : never

/** Some columns of a table, in the order in which they are selected. */
export type Columns<Row extends object, Sortable extends keyof Row> = {
  names: readonly (keyof Row & string)[]
  /** The list for SELECT; `alias` is the alias of the table in the statement. */
  of(alias: string): SQL
  /** PostgreSQL's name of a column's type. Sortable columns are never null and have a text form. */
  sortTypeOf(name: Sortable): string
  /** The names of the columns that have a value. */
  namesIn(values: { [Name in keyof Row]?: Row[Name] | undefined }): (keyof Row & string)[]
  /** Parts of INSERT and UPDATE for the values of these columns. */
  bind<Name extends keyof Row & string>(names: Name[], values: Bindable<{ [Each in Name]?: Row[Each] }>): BoundValue[]
  /** Copies only these columns from a row that may have more. */
  pick(row: Row): Row
  /** Converts the times of a row that the database stored as JSON (`to_jsonb`). Other rows do not change. */
  fromJson<Json extends Row>(row: Json): Json
}

/** Values for columns of a row. A value for an unknown column does not compile. */
export type ValuesOf<Values, Row> = {
  [Name in keyof Values]: Name extends keyof Row ? Row[Name] | Extract<Values[Name], undefined> : never
}

/** The columns that every INSERT must set: they are never null and have no default. */
export type RequiredOf<Of extends Table> = {
  [Name in keyof ByName<Of>]: ByName<Of>[Name]['_'] extends { notNull: true; hasDefault: false } ? Name : never
}[keyof ByName<Of>]

/** A value for a column, cast to the column's type. */
export type BoundValue = { column: string; name: SQL; value: SQL }

/** The type of a row with some columns of a table. */
export type RowOf<Some> = Some extends Columns<infer Row, never> ? Row : never

/** @param names as they are in PostgreSQL */
export function pickColumns<Of extends Table, const Name extends keyof ByName<Of> & string>(
  table: Of,
  names: readonly Name[],
): Columns<
  { [Each in Name]: ValueOf<ByName<Of>[Each]> },
  { [Each in Name]: IfSortable<ByName<Of>[Each], Each> }[Name]
> {
  const sqlTypes = new Map(
    Object.values<Column>(getTableColumns(table)).map((column) => [column.name, column.getSQLType()]),
  )
  const times = names.filter((name) => sqlTypes.get(name) === 'timestamp with time zone')
  return {
    names,
    of: (alias) => sql.raw(names.map((name) => `${alias}.${name}`).join(', ')),
    sortTypeOf: (name) => sqlTypes.get(name) ?? '',
    namesIn: (values) => names.filter((name) => values[name] !== undefined),
    bind: (bound, values) =>
      bound.map((column) => ({
        column,
        name: sql`${sql.identifier(column)}`,
        value: sql`${values[column]}::${sql.raw(sqlTypes.get(column) ?? '')}`,
      })),
    pick(row) {
      const picked = {} as typeof row // the loop sets every member
      for (const name of names) picked[name] = row[name]
      return picked
    },
    fromJson: (row) => ({ ...row, ...Object.fromEntries(times.map((name) => [name, readTime(row[name])])) }),
  }
}

function readTime(value: unknown): unknown {
  return typeof value === 'string' ? toRfc3339(value) : value
}

/** Constant names, such as states, as SQL literals for `IN (…)`. @throws TypeError for a name that needs quoting */
export function sqlList(names: readonly string[]): SQL {
  for (const name of names) if (!/^\w+$/.test(name)) throw new TypeError(`not a plain name: ${name}`)
  return sql.raw(names.map((name) => `'${name}'`).join(', '))
}

/** A CASE expression: the name of the first rule whose condition is true, as text or NULL. A name can also be an SQL expression. */
export function firstOf<Name extends string>(rules: readonly [condition: SQL, name: Name | SQL | null][]): SQL {
  const cases = rules.map(([condition, name]) => {
    const result = typeof name === 'string' ? sqlList([name]) : (name ?? sql`NULL`)
    return sql`WHEN ${condition} THEN ${result}`
  })
  return sql`CASE ${sql.join(cases, sql` `)} END`
}

/**
 * The same SQL as text that is made once: statements that contain it are then built faster.
 * @throws TypeError if the SQL has parameters
 */
export function constantSql(fragment: SQL): SQL {
  const { sql: text, params } = render(fragment)
  if (params.length > 0) throw new TypeError('SQL with parameters is not constant')
  return sql.raw(text)
}
