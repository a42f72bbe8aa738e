// Numbers as Redis reads and writes them: 64-bit integers, floats, C's %g.
import { notAnInteger, RedisError } from './reply.ts'

export const INT64_MAX = 2n ** 63n - 1n
export const INT64_MIN = -(2n ** 63n)

/** @throws RedisError unless the text is a 64-bit integer in the one form that Redis takes (no `+5`, no `05`). */
export function parseInteger(text: string): bigint {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) throw notAnInteger()
  const value = BigInt(text)
  if (value > INT64_MAX || value < INT64_MIN) throw notAnInteger()
  return value
}

/** An integer for positions and counts, where everything beyond 2^53 is as good as infinite. */
export const parseIndex = (text: string) => Number(parseInteger(text))

/** @throws RedisError when the sum leaves 64 bits. */
export function addInteger(left: bigint, right: bigint): bigint {
  const sum = left + right
  if (sum > INT64_MAX || sum < INT64_MIN) throw new RedisError('ERR increment or decrement would overflow')
  return sum
}

/** @throws RedisError unless the text is a float or an infinity. */
export function parseFloatText(text: string, message = 'ERR value is not a valid float'): number {
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text)
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new RedisError(message)
  return Number(text)
}

/** A score in its shortest form, as Redis 7.2 and later write it. */
export function formatScore(score: number): string {
  if (Number.isFinite(score)) return Object.is(score, -0) ? '-0' : String(score)
  return score > 0 ? 'inf' : '-inf'
}

/** C's `%.<precision>g`. */
export function formatG(value: number, precision: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0'
  const [mantissa = '', exponentText = ''] = value.toExponential(precision - 1).split('e')
  const exponent = Number(exponentText)
  const trim = (digits: string) => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits)
  if (exponent >= -4 && exponent < precision) return trim(value.toFixed(precision - 1 - exponent))
  return `${trim(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** Redis' range arguments: negative counts from the end, the stop is inclusive. Returns [from, until). */
export function resolveRange(start: number, stop: number, length: number): [number, number] {
  const from = Math.max(start < 0 ? length + start : start, 0)
  const last = Math.min(stop < 0 ? length + stop : stop, length - 1)
  return from > last ? [0, 0] : [from, last + 1]
}
