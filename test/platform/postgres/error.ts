// Errors of Neon's SQL endpoint. The body always has the same keys, which the driver copies to its NeonDbError.
import { DatabaseError } from 'pg'
import type { StandInAnswer } from '../http.ts'
import { ConnectionFailed, ResultTooLarge } from './session.ts'

/** The keys after `message`. All except `code` and `severity` are null if they have no value. */
const DETAILS = [
  'severity',
  'code',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'schema',
  'table',
  'column',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const

type Details = { [key in (typeof DETAILS)[number]]?: string | undefined }

/** An error of the endpoint itself. */
export class SqlHttpError extends Error {
  readonly status: number
  readonly details: Details

  constructor(status: number, message: string, details: Details = {}) {
    super(message)
    this.status = status
    this.details = details
  }
}

/**
 * Neon's proxy answers 400 for every error while a statement runs, including a lost connection.
 */
export function errorAnswer(error: unknown, maxBytes: number): StandInAnswer {
  if (error instanceof SqlHttpError)
    return {
      status: error.status,
      body: describe(error.message, error.details),
    }
  if (error instanceof ResultTooLarge) {
    return {
      status: 507,
      body: describe(`response is too large (max is ${maxBytes} bytes)`, {}),
    }
  }
  if (error instanceof DatabaseError) return { status: 400, body: describe(error.message, error) }
  if (error instanceof ConnectionFailed) return { status: 500, body: describe(error.message, {}) }
  return {
    status: 400,
    body: describe(error instanceof Error ? error.message : String(error), {}),
  }
}

function describe(message: string, details: Details): Record<string, string | null> {
  const body: Record<string, string | null> = { message }
  for (const key of DETAILS) body[key] = details[key] ?? null
  body.severity ??= ''
  body.code ??= ''
  return body
}
