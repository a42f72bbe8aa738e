// Runs the statements of one request to Neon's SQL endpoint and writes the response as JSON text. It is text from the
// start, because a json column goes out as PostgreSQL gave it and two columns may bear one name.
import type { FieldDef, PoolClient } from 'pg'
import { SqlHttpError } from './error.ts'
import { type Flags, MAX_BYTES, type Payload } from './request.ts'
import {
  type PostgresBackend,
  ResultTooLarge,
  runStatement,
  type Session,
  type Statement,
  type StatementResult,
  withSession,
} from './session.ts'
import { type Encoder, encoderOf } from './values.ts'

/**
 * Runs a single statement, or a batch in one transaction.
 * @returns the response body
 * @throws DatabaseError; ConnectionFailed; ResultTooLarge; SqlHttpError 500; what `signal` was aborted with
 */
export function runPayload(
  backend: PostgresBackend,
  signal: AbortSignal,
  payload: Payload,
  flags: Flags,
): Promise<string> {
  return withSession(backend, signal, MAX_BYTES, async (session) => {
    if (payload.kind === 'single') return run(backend.elementTypes, session, payload.statement, flags, MAX_BYTES)
    await session.client.query(flags.begin)
    const results: string[] = []
    let bytesLeft = MAX_BYTES
    for (const statement of payload.statements) {
      const result = await run(backend.elementTypes, session, statement, flags, bytesLeft)
      bytesLeft -= Buffer.byteLength(result)
      results.push(result)
    }
    session.signal.throwIfAborted()
    await session.client.query('COMMIT')
    return `{"results":[${results.join(',')}]}`
  })
}

async function run(
  elementTypes: Map<number, number>,
  session: Session,
  statement: Statement,
  flags: Flags,
  maxBytes: number,
): Promise<string> {
  const result = await runStatement(session, statement)
  if (!flags.isRaw) await learnElementTypes(session.client, result.fields, elementTypes)
  const encoders = result.fields.map(({ dataTypeID }) => encoderOf(dataTypeID, flags.isRaw, elementTypes))
  const json = writeResult(result, encoders, statement.arrayMode ?? flags.arrayMode)
  if (Buffer.byteLength(json) > maxBytes) throw new ResultTooLarge()
  return json
}

/** Array types are those that array_in reads: not point, whose coordinates can be subscripted, nor int2vector. */
async function learnElementTypes(client: PoolClient, fields: FieldDef[], known: Map<number, number>): Promise<void> {
  const unknown = fields.map(({ dataTypeID }) => dataTypeID).filter((typeId) => !known.has(typeId))
  if (unknown.length === 0) return
  const { rows } = await client.query<{ oid: string; element: string }>(
    `SELECT oid, CASE WHEN typinput = 'array_in'::regproc THEN typelem ELSE 0 END AS element
     FROM pg_catalog.pg_type WHERE oid = ANY ($1::oid[])`,
    [unknown],
  )
  for (const { oid, element } of rows) known.set(Number(oid), Number(element))
}

function writeResult(result: StatementResult, encoders: Encoder[], isArrayMode: boolean): string {
  const names = result.fields.map(({ name }) => JSON.stringify(name))
  const writeRow = (row: (string | null)[]): string => {
    const cells = row.map((text, i) => (text === null ? 'null' : encode(encoders[i], text)))
    return isArrayMode ? `[${cells.join(',')}]` : `{${cells.map((cell, i) => `${names[i]}:${cell}`).join(',')}}`
  }
  const { command, rowCount } = result
  const rest = JSON.stringify({
    fields: result.fields.map(describeField),
    command,
    rowCount,
    rowAsArray: isArrayMode,
  })
  return `{"rows":[${result.rows.map(writeRow).join(',')}],${rest.slice(1)}`
}

function encode(encoder: Encoder | undefined, text: string): string {
  try {
    if (encoder === undefined) throw new RangeError('more values than fields')
    return encoder(text)
  } catch {
    throw new SqlHttpError(500, 'could not parse postgres response')
  }
}

function describeField(field: FieldDef): FieldDef {
  const { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier } = field
  return {
    name,
    dataTypeID,
    tableID,
    columnID,
    dataTypeSize,
    dataTypeModifier,
    format: 'text',
  }
}
