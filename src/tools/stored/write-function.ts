// Writes the SQL of one function (infra/stored.ts) from the texts of its statements.
import type { PGlite } from '@electric-sql/pglite'
import { deadlineMs } from '../../infra/database.ts'
import type { Statement } from '../../infra/sql-client.ts'
import { nameColumn, statementColumn, storedSchema } from '../../infra/stored.ts'

type Column = { name: string; type: string }
type Described = { text: string; columns: Column[] }

/**
 * @param database with all tables: it describes the parameters and the columns
 * @param returned the rows of how many statements are returned, counted from the last one. Undefined: only those of the last
 *   one, as they are
 */
export async function writeFunction(
  database: PGlite,
  name: string,
  statements: Statement[],
  returned: number | undefined,
): Promise<string> {
  const { parameters, described } = await describe(database, statements)
  const { columns, steps } = returned === undefined ? returnLast(described) : returnAll(described, returned)
  const table = columns.map((column) => `"${column.name}" ${column.type}`).join(', ')
  return `CREATE FUNCTION ${storedSchema}.${name}(${parameters.join(', ')})
RETURNS ${columns.length > 0 ? `TABLE (${table})` : 'void'} LANGUAGE plpgsql AS $function$
#variable_conflict use_column
${described.length > 1 ? beginSeveral : 'BEGIN\n'}${steps.join(startNext)}END $function$;
`
}

async function describe(database: PGlite, statements: Statement[]) {
  const parameters: string[] = []
  const described: Described[] = []
  for (const [index, { query }] of statements.entries()) {
    const { queryParams, resultFields } = await database.describeQuery(query)
    const text = renumber(index === 0 ? query : atStatementStart(query), parameters.length)
    const types = await namesOfTypes(
      database,
      [...queryParams, ...resultFields].map(({ dataTypeID }) => dataTypeID),
    )
    parameters.push(...types.slice(0, queryParams.length))
    const columns = resultFields.map(({ name }, each) => ({ name, type: types[queryParams.length + each] ?? '' }))
    described.push({ text: text.trim(), columns })
  }
  return { parameters, described }
}

/**
 * A statement_timeout that a function sets does not stop its own call, which has begun already. So the function limits how
 * long it waits for a lock: otherwise a request that the Worker has given up could still take effect later.
 */
const beginSeveral = `DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '${deadlineMs}ms', true);
`

/** Between two statements. */
const startNext = '  statement_start := clock_timestamp();\n'

type Body = { columns: Column[]; steps: string[] }

function returnLast(described: Described[]): Body {
  const last = described.at(-1)
  if (!last) throw new TypeError('a call has a statement')
  const isTable = last.columns.length > 0
  const step = `  ${isTable ? 'RETURN QUERY ' : ''}${last.text};\n`
  return { columns: last.columns, steps: [...described.slice(0, -1).map(toStep), step] }
}

function returnAll(described: Described[], returned: number): Body {
  const own = described.slice(-returned).map(({ text, columns }, statement) => {
    return { text, columns: columns.map(({ name, type }) => ({ name: nameColumn(statement, name), type })) }
  })
  return {
    columns: [{ name: statementColumn, type: 'integer' }, ...own.flatMap(({ columns }) => columns)],
    steps: [...described.slice(0, -returned).map(toStep), ...own.map(toReturningStep)],
  }
}

/** A statement whose rows nobody reads. */
function toStep({ text, columns }: Described): string {
  if (columns.length === 0) return `  ${text};\n`
  if (text.startsWith('SELECT ')) return `  PERFORM ${text.slice('SELECT '.length)};\n`
  return `  FOR ignored IN ${text}\n  LOOP END LOOP;\n`
}

/** A statement whose rows are returned, in columns of its own. The next statement's rows have NULL in them. */
function toReturningStep({ text, columns }: Described, statement: number): string {
  if (columns.length === 0) return `  ${text};\n`
  const names = columns.map(({ name }) => `"${name}"`)
  return `  ${statementColumn} := ${statement};
  FOR ${names.join(', ')} IN ${text}
  LOOP RETURN NEXT; END LOOP;
${names.map((name) => `  ${name} := NULL;\n`).join('')}`
}

/** In a function, statement_timestamp() is the start of the call, before the wait for a lock. */
function atStatementStart(text: string): string {
  return text.replaceAll('statement_timestamp()', 'statement_start')
}

function renumber(text: string, offset: number): string {
  return text.replace(/\$(\d+)/g, (_, number) => `$${Number(number) + offset}`)
}

async function namesOfTypes(database: PGlite, ids: number[]): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>(
    'SELECT format_type(id, NULL) AS name FROM unnest($1::int[]) WITH ORDINALITY AS type (id, position) ORDER BY position',
    [ids],
  )
  return rows.map(({ name }) => name)
}
