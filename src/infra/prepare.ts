// Prepared statements: the SQL of a statement is rendered once, and each call only fills in its values.
import { fillPlaceholders, is, type Placeholder, type Query, SQL, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core/dialect'
import { BoundedCache } from '../kernel/bounded-cache.ts'

const dialect = new PgDialect()

/**
 * Values or their placeholders: a fragment of SQL that takes them can be part of a prepared statement. `kind` is never a
 * placeholder: it tells the members of a union apart, such as the kinds of callers, whose SQL differs.
 */
export type Bindable<Values> = {
  readonly [Name in keyof Values]: Name extends 'kind' ? Values[Name] : Values[Name] | Placeholder
}

export type Placeholders<Values> = {
  readonly [Name in keyof Values]-?: Name extends 'kind' ? Values[Name] : Placeholder
}

/** Every member but `kind` is the placeholder of its own name. */
function placeholdersOf(kind: unknown) {
  return new Proxy({}, { get: (_, name) => (name === 'kind' ? kind : sql.placeholder(String(name))) })
}

/** How many shapes of a statement are kept. More than any of ours has. */
const maxShapes = 200

/**
 * Prepares a statement: `build` gets placeholders instead of values, and runs once for each shape. Only the shape, and
 * the value `kind` if there is one, may decide about the text of the statement, such as which columns it sets.
 * @returns a function that fills in the values. It throws if the statement has a placeholder without a value
 */
export function prepare<Values extends Record<string, unknown>, Shape = void>(
  build: (value: Placeholders<Values>, shape: Shape) => SQL,
): (values: Values, shape: Shape) => Query {
  const rendered = new BoundedCache<Query>(maxShapes)
  return (values, shape) => {
    const key = JSON.stringify([values.kind, shape])
    let query = rendered.get(key)
    if (!query) {
      query = dialect.sqlToQuery(build(placeholdersOf(values.kind) as Placeholders<Values>, shape)) // it has every name
      rendered.set(key, query)
    }
    return { sql: query.sql, params: fillPlaceholders(query.params, values) }
  }
}

/** The text and the parameters of a statement. A prepared statement has them already. */
export function render(statement: SQL | Query): Query {
  return is(statement, SQL) ? dialect.sqlToQuery(statement) : statement
}
