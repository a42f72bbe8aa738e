// Runs the statements of one request to Neon's SQL endpoint and writes the response body.
import type { FieldDef } from 'pg'
import { type Flags, MAX_BYTES, type Payload } from './request.ts'
import {
  noteStatement,
  type PostgresBackend,
  ResultTooLarge,
  runStatement,
  type Session,
  type Statement,
  withSession,
} from './session.ts'

/**
 * Runs a single statement, or a batch in one transaction.
 * @returns the response body, as JSON text
 * @throws DatabaseError; ConnectionFailed; ResultTooLarge; the reason of an aborted `signal`
 */
export function runPayload(
  backend: PostgresBackend,
  signal: AbortSignal,
  payload: Payload,
  flags: Flags,
): Promise<string> {
  return withSession(backend, signal, MAX_BYTES, async (session) => {
    if (payload.kind === 'single') {
      const result = await run(session, payload.statement, MAX_BYTES)
      noteStatement(backend, payload.statement.query)
      return result
    }
    await session.client.query(flags.begin)
    const results: string[] = []
    let bytesLeft = MAX_BYTES
    for (const statement of payload.statements) {
      const result = await run(session, statement, bytesLeft)
      bytesLeft -= Buffer.byteLength(result)
      results.push(result)
    }
    session.signal.throwIfAborted()
    await session.client.query('COMMIT')
    for (const { query } of payload.statements) noteStatement(backend, query)
    return `{"results":[${results.join(',')}]}`
  })
}

async function run(session: Session, statement: Statement, maxBytes: number): Promise<string> {
  const { fields, rows, command, rowCount } = await runStatement(session, statement)
  const json = JSON.stringify({ fields: fields.map(describeField), rows, command, rowCount, rowAsArray: true })
  if (Buffer.byteLength(json) > maxBytes) throw new ResultTooLarge()
  return json
}

function describeField(field: FieldDef): FieldDef {
  const { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier } = field
  return { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier, format: 'text' }
}
