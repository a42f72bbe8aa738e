// Which errors of PostgreSQL are outages, which are conflicts, and which are defects of ours.
import { NeonDbError } from '@neondatabase/serverless'
import { describe, expect, test } from 'vitest'
import { toAppError } from '../../src/infra/database-error.ts'

function anError(code: string | undefined, constraint?: string): NeonDbError {
  return Object.assign(new NeonDbError('no'), { code, constraint })
}

describe('an outage', () => {
  test.each([
    ['no SQLSTATE', undefined],
    ['an empty SQLSTATE', ''],
    ['a lost connection', '08006'],
    ['a terminated query of the proxy', '08P01'],
    ['a refused log-in', '28P01'],
    ['a full disk', '53100'],
    ['too many connections', '53300'],
    ['a statement that was cancelled or timed out', '57014'],
    ['a session that was idle in a transaction', '25P03'],
    ['a transaction that took too long', '25P04'],
    ['a shutdown', '57P01'],
    ['a database that is starting', '57P03'],
    ['an I/O error', '58030'],
    ['an internal error', 'XX000'],
    ['a corrupted index', 'XX002'],
  ])('%s may have taken effect', (_, code) => {
    expect(toAppError(anError(code))).toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining('not known whether'),
      extensions: { retryAfterSeconds: 5 },
    })
  })

  test.each([
    ['a read-only transaction', '25006'],
    ['a lock that was not available', '55P03'],
  ])('%s has had no effect', (_, code) => {
    expect(toAppError(anError(code))).toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining('Nothing was changed'),
      extensions: { retryAfterSeconds: 5 },
    })
  })
})

test.each([
  ['40001', undefined, 'TransactionConflict'],
  ['40P01', undefined, 'TransactionConflict'],
  ['23505', 'accounts_email_key', 'UniqueViolation'],
])('%s with the constraint %s is a %s', (code, constraint, name) => {
  expect(toAppError(anError(code, constraint))).toMatchObject({ name })
})

// 25P02 and 55000 are in the classes of refusals but say that the statement is wrong.
test.each(['22P02', '23503', '23514', '25P02', '42P01', '42703', '55000', '0A000', '21000', 'P0001'])(
  '%s is a defect',
  (code) => {
    const error = anError(code)
    expect(toAppError(error)).toBe(error)
  },
)
