// Errors of the database: which are outages, which are conflicts of concurrent requests, and which are defects of ours.
import { NeonDbError } from '@neondatabase/serverless'
import { TiebarError } from '../kernel/error.ts'

/** A unique index was violated. `constraint` is its name. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation'
  readonly constraint: string

  constructor(constraint: string, cause: unknown) {
    super(`the unique index ${constraint} was violated`, { cause })
    this.constraint = constraint
  }
}

/** A stored value that our code cannot parse. This is a defect, not an outage. */
export class UnreadableValue extends Error {
  override readonly name = 'UnreadableValue'
}

/** A parameter that PostgreSQL cannot receive as text. This is a defect, not an outage. */
export class UnbindableValue extends TypeError {
  override readonly name = 'UnbindableValue'
}

/** A serialization failure or a deadlock. PostgreSQL rolled the transaction back, so it can run again. */
export class TransactionConflict extends Error {
  override readonly name = 'TransactionConflict'
}

/**
 * What the application throws for an error of the driver: TiebarError `database_unavailable` for an outage, and otherwise
 * UniqueViolation, TransactionConflict, or the error itself, which is a defect.
 */
export function toAppError(error: unknown): unknown {
  if (error instanceof UnreadableValue || error instanceof UnbindableValue) return error
  const { code, constraint } = error instanceof NeonDbError ? error : {}
  // Without an SQLSTATE, the request did not reach PostgreSQL or the answer was lost.
  if (code === undefined || code === '') return toUnavailable(unknownEffect, 5, error)
  if (code === '23505' && constraint !== undefined) return new UniqueViolation(constraint, error)
  if (code === '40001' || code === '40P01')
    return new TransactionConflict('serialization failure or deadlock', {
      cause: error,
    })
  if (refusals.includes(code)) return toUnavailable(noEffect, 5, error)
  const isOutage = outageClasses.includes(code.slice(0, 2)) || timeouts.includes(code)
  return isOutage ? toUnavailable(unknownEffect, 5, error) : error
}

/** The error for a transaction that has failed twice because of a conflict: TiebarError `database_unavailable`. */
export function toConflict(error: unknown): TiebarError {
  return toUnavailable('Other requests are changing the same rows. Nothing was changed. Try again.', 1, error)
}

const unknownEffect = 'The database did not answer. It is not known whether the request took effect. Try again.'
const noEffect = 'The database cannot change these rows at the moment. Nothing was changed. Try again.'

/** Statements that PostgreSQL refuses because of its own state: a read-only transaction, and a lock that it cannot get. */
const refusals = ['25006', '55P03']

/** PostgreSQL ended the session: it was idle in a transaction, or the transaction took too long. A role can set both. */
const timeouts = ['25P03', '25P04']

/**
 * Classes of SQLSTATE about the server, not the statement: connection, log-in, resources, operator intervention, system
 * error, internal error. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const outageClasses = ['08', '28', '53', '57', '58', 'XX']

function toUnavailable(detail: string, retryAfterSeconds: number, cause: unknown): TiebarError {
  return new TiebarError('database_unavailable', detail, { retryAfterSeconds }, { cause })
}
