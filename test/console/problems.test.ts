// The words of the console for the codes of the API.
import { expect, test } from 'vitest'
import { texts } from '../../src/console/texts.ts'
import { type ErrorCode, errorCodes } from '../../src/kernel/error-codes.ts'

/** Codes that the console never gets, and why. */
const unreachable: Partial<Record<ErrorCode, string>> = {
  malformed_json: 'the client writes the body',
  unsupported_media_type: 'the client writes the body and its type',
  method_not_allowed: 'the client takes the method from the OpenAPI document',
  not_acceptable: 'the browser accepts every format',
  token_missing: 'the console sends a token wherever one is needed',
  key_invalid: 'the console has no API key',
  key_required: 'only controllers report',
  key_not_allowed: 'the console has no API key',
  scope_missing: 'the console has no API key',
  idempotency_key_reused: 'every press has its own key',
  precondition_failed: 'the console sends no If-Match',
  bad_signature: 'only the queue signs requests',
  outcome_contradicts: 'only controllers report outcomes',
  feed_unavailable: 'no page shows it: the console asks every 5 s, and follows the feed again later',
}

test.each(errorCodes.filter((code) => !(code in unreachable)))('%s has words in both languages', (code) => {
  const words: Record<string, readonly [string, string]> = texts
  const [korean = '', english = ''] = words[`problem_${code}`] ?? []
  expect(korean).toMatch(/\p{Script=Hangul}/u)
  expect(english).toMatch(/^[A-Z][^\p{Script=Hangul}]{15,}[.:]$/u)
})

test('there are words for nothing else', () => {
  const known: string[] = errorCodes.filter((code) => !(code in unreachable))
  const named = Object.keys(texts).flatMap((name) => (name.startsWith('problem_') ? name.slice('problem_'.length) : []))
  expect(named.toSorted()).toEqual(known.toSorted())
})

test('every code that is said to be unreachable exists', () => {
  expect(Object.keys(unreachable).filter((code) => !errorCodes.some((known) => known === code))).toEqual([])
})
