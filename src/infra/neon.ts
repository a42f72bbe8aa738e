// A client of Neon's SQL over HTTP, which is one POST: a statement or a transaction. Neon's own driver says the same on
// the wire, and brings a whole PostgreSQL client for WebSockets with it, which was a quarter of the bundle. That the two
// cannot be told apart is held to by a test.

export type Statement = { sql: string; params: unknown[] }

/** A row as PostgreSQL's own text of each value. */
type Result = { fields: { name: string; dataTypeID: number }[]; rows: (string | null)[][] }

export type ValueReader = (text: string) => unknown

/** What PostgreSQL said of a statement. `code` is the SQLSTATE, empty when Neon's proxy itself says no. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: string | undefined
  readonly constraint: string | undefined
  readonly severity: string | undefined
  readonly detail: string | undefined

  constructor(answer: Record<string, unknown>) {
    super(String(answer.message))
    this.code = textOf(answer.code)
    this.constraint = textOf(answer.constraint)
    this.severity = textOf(answer.severity)
    this.detail = textOf(answer.detail)
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/**
 * @param readers how a column's text becomes a value, by type id; what is not there stays text
 * @param fetchEndpoint where `/sql` is, when it is not Neon's
 * @returns a function that runs one statement, or several in one transaction, and gives the rows of the last one;
 *   it throws DatabaseError for what PostgreSQL refuses, and other errors when no answer came
 */
export function openNeon(
  databaseUrl: string,
  readers: ReadonlyMap<number, ValueReader>,
  fetchEndpoint: string = findEndpoint(databaseUrl),
): (statements: Statement[], signal: AbortSignal) => Promise<Record<string, unknown>[]> {
  const headers = {
    'Neon-Connection-String': nameApplication(databaseUrl),
    'Neon-Raw-Text-Output': 'true',
    'Neon-Array-Mode': 'true',
  }
  return async (statements, signal) => {
    const queries = statements.map(({ sql, params }) => ({ query: sql, params: params.map(toText) }))
    const body = JSON.stringify(queries.length === 1 ? queries[0] : { queries })
    const response = await fetch(fetchEndpoint, { method: 'POST', headers, body, signal })
    if (response.status === 400) throw new DatabaseError(await response.json())
    if (!response.ok) throw new Error(`Neon answered ${response.status}: ${await response.text()}`)
    const answer = await response.json<Result | { results: Result[] }>()
    const last = 'results' in answer ? answer.results.at(-1) : answer
    return last ? readRows(last, readers) : []
  }
}

/** By the driver's rule: of the host, the first label is another. */
function findEndpoint(databaseUrl: string): string {
  return `https://${new URL(databaseUrl).hostname.replace(/^[^.]+\./, 'api.')}/sql`
}

/** Who we are, in the server's list of connections. */
function nameApplication(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  if (!url.searchParams.has('application_name')) url.searchParams.set('application_name', 'tiebar')
  return url.href
}

function readRows({ fields, rows }: Result, readers: ReadonlyMap<number, ValueReader>): Record<string, unknown>[] {
  const columns = fields.map(({ name, dataTypeID }) => ({ name, read: readers.get(dataTypeID) }))
  return rows.map((values) => {
    const row: Record<string, unknown> = {}
    for (const [index, { name, read }] of columns.entries()) {
      const text = values[index] ?? null
      row[name] = text === null || read === undefined ? text : read(text)
    }
    return row
  })
}

/** A parameter as PostgreSQL's text. @throws TypeError for what no statement of ours binds */
function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return `{${value.map(toElement).join(',')}}`
  if (typeof value === 'object') throw new TypeError('an object cannot be bound as a parameter')
  return String(value)
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO: every element in quotes. */
function toElement(value: unknown): string {
  const text = toText(value)
  return text === null ? 'NULL' : `"${text.replace(/[\\"]/g, '\\$&')}"`
}
