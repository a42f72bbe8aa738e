// The delays between the attempts of a job: the same list for PostgreSQL and for QStash.
import { describe, expect, test } from 'vitest'
import { retryDelayExpression, retryDelaysSeconds } from '../../src/jobs/commands.ts'
import { parseDelayExpression } from '../platform/qstash/expression.ts'

const delayMs = (index: number) => 1_000 * (retryDelaysSeconds[index] ?? 60)

describe('the expression for QStash', () => {
  test('has the delays of the list, whatever attempts the job had before', () => {
    for (let attempts = 0; attempts < 30; attempts += 1) {
      const delay = parseDelayExpression(retryDelayExpression(attempts))
      for (let retried = 0; retried < 10; retried += 1) expect(delay(retried)).toBe(delayMs(attempts + retried))
    }
  })
})
