// Neon's SQL over HTTP: one request is one statement, or a batch in one transaction. The answers follow the source of Neon's
// proxy (proxy/src/serverless/sql_over_http.rs).
import { randomUUID } from 'node:crypto'
import { notImplemented, type StandInAnswer, type StandInRequest } from '../http.ts'
import { errorAnswer } from './error.ts'
import { type Credentials, checkCredentials, isForRawArrays, MAX_BYTES, readFlags, readPayload } from './request.ts'
import { runPayload } from './run.ts'
import type { PostgresBackend } from './session.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/** COPY at the start of a statement, after white space and comments. */
const COPY = /^(?:\s|--[^\n]*(?:\n|$)|\/\*(?:(?!\*\/).)*\*\/)*copy\b/is

/** Handles every request to the stand-in's port. */
export function createSqlHandler(
  backend: PostgresBackend,
  credentials: Credentials,
): (request: StandInRequest) => Promise<StandInAnswer> {
  return async (request) => {
    const answer = await route(request, backend, credentials)
    return { ...answer, headers: { 'neon-request-id': randomUUID(), ...answer.headers } }
  }
}

async function route(request: StandInRequest, backend: PostgresBackend, ours: Credentials): Promise<StandInAnswer> {
  if (request.headers.upgrade !== undefined) return notImplemented('PostgreSQL', 'WebSocket connections')
  const [path] = request.target.split('?')
  if (path !== '/sql' || request.method !== 'POST') {
    return { status: 400, headers: JSON_TYPE, body: JSON.stringify('query is not supported') }
  }
  if (request.headers.authorization !== undefined) return notImplemented('PostgreSQL', 'authorization by token')
  try {
    checkCredentials(request.headers, ours)
    if (!isForRawArrays(request.headers)) {
      return notImplemented('PostgreSQL', 'requests without Neon-Raw-Text-Output and Neon-Array-Mode')
    }
    const flags = readFlags(request.headers)
    const payload = readPayload(request.body)
    const statements = payload.kind === 'single' ? [payload.statement] : payload.statements
    if (statements.some(({ query }) => COPY.test(query))) return notImplemented('PostgreSQL', 'COPY')
    const body = await runPayload(backend, request.signal, payload, flags)
    return { headers: { ...JSON_TYPE, ...(payload.kind === 'batch' ? flags.echo : {}) }, body }
  } catch (error) {
    return errorAnswer(error, MAX_BYTES)
  }
}
