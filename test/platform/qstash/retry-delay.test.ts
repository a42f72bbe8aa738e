import { expect, test } from 'vitest'
import { parseDelayExpression } from './expression.ts'
import { defaultBackoffMs, parseDurationMs, retryDelayMs } from './retry-delay.ts'

test.each([
  ['1000', 0, 1000],
  ['1000 * (1 + retried)', 3, 4000],
  ['pow(2, retried) * 1000', 3, 8000],
  ['max(1000, pow(2, retried) * 100)', 2, 1000],
  ['min(30000, 1000 * pow(2, retried))', 5, 30000],
  ['2 + 3 * 4 - 6 / 2', 0, 11],
  ['10 - 2 - 3', 0, 5],
  ['64 / 4 / 2', 0, 8],
  ['-retried + 5', 2, 3],
  ['2 * -3 + 10', 0, 4],
  ['sqrt(16) + abs(-2) + floor(1.9) + ceil(1.1) + round(2.5)', 0, 12],
  ['exp(0) + .5 + 1e2', 0, 101.5],
  ['((retried))', 7, 7],
])('the expression %s with retried = %d is %d', (text, retried, value) => {
  expect(parseDelayExpression(text)(retried)).toBe(value)
})

test.each([
  '',
  '1 +',
  '(1',
  '1)',
  '1 2',
  'tries',
  'retried()',
  'pow(2)',
  'min(1, 2, 3)',
  'sqrt()',
  'constructor(1)',
  'process.exit()',
  '2 ^ 3',
  '1; 2',
  '1'.repeat(1_001),
  '('.repeat(1_001),
])('the expression %j is refused', (text) => {
  expect(() => parseDelayExpression(text)).toThrow(SyntaxError)
})

test('the default backoff is that of the documentation', () => {
  expect([1, 2, 3, 4, 5, 6].map(defaultBackoffMs)).toEqual([
    12_000, 148_000, 1_808_000, 22_026_000, 86_400_000, 86_400_000,
  ])
})

const nowMs = Date.parse('2024-06-27T12:00:00Z')

test.each([
  ['nothing, the default backoff', {}, undefined, 12_000],
  ['an expression, its value', {}, '250 * (retried + 1)', 250],
  ['an expression beyond a day, a day', {}, '1e12', 86_400_000],
  ['an expression that divides by zero, a day', {}, '1 / retried', 86_400_000],
  ['an expression below zero, no delay', {}, '-5', 0],
  ['an expression that is no number, the default backoff', {}, 'sqrt(-1)', 12_000],
  ['Retry-After in seconds and an expression, the former', { 'Retry-After': ['7'] }, '250', 7_000],
  ['Retry-After: 0, no delay', { 'Retry-After': ['0'] }, '250', 0],
  ['Retry-After as a duration', { 'Retry-After': ['6m5s'] }, undefined, 365_000],
  ['Retry-After as a date', { 'Retry-After': ['Thu, 27 Jun 2024 12:16:24 GMT'] }, undefined, 984_000],
  ['Retry-After as a date that has passed, no delay', { 'Retry-After': ['Thu, 27 Jun 2024 11:00:00 GMT'] }, '9', 0],
  ['Retry-After beyond a day, the expression', { 'Retry-After': ['86401'] }, '250', 250],
  ['Retry-After of exactly a day', { 'Retry-After': ['86400'] }, '250', 86_400_000],
  ['an invalid Retry-After, the expression', { 'Retry-After': ['soon'] }, '250', 250],
  ['X-RateLimit-Reset', { 'X-Ratelimit-Reset': ['3'] }, '250', 3_000],
  ['X-RateLimit-Reset-Requests', { 'X-Ratelimit-Reset-Requests': ['20ms'] }, '250', 20],
  ['X-RateLimit-Reset-Tokens', { 'X-Ratelimit-Reset-Tokens': ['1h'] }, '250', 3_600_000],
])('after %s', (_title, responseHeader, expression, delayMs) => {
  expect(retryDelayMs({ retried: 0, responseHeader, expression, nowMs })).toBe(delayMs)
})

test('a duration is a sum of values in the allowed units', () => {
  expect(parseDurationMs('1d10h30m', ['d', 'h', 'm', 's'])).toBe(124_200_000)
  expect(parseDurationMs('1.5s', ['s', 'ms'])).toBe(1_500)
  expect(parseDurationMs('15ms', ['m', 's', 'ms'])).toBe(15)
  for (const text of ['', '5', '5ms', '-1s', '1s later', 's']) expect(parseDurationMs(text, ['m', 's'])).toBe(undefined)
})
