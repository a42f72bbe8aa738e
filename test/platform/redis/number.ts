// Numbers as Redis reads and writes them: 64-bit integers and C's %g.
import { notAnInteger, RedisError } from './reply.ts'

export const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** @throws RedisError unless the text is a 64-bit integer in the only form that Redis accepts (no `+5`, no `05`) */
export function parseInteger(text: string): bigint {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) throw notAnInteger()
  const value = BigInt(text)
  if (value > INT64_MAX || value < INT64_MIN) throw notAnInteger()
  return value
}

/** A count. Above 2^53 it is not exact. */
export const parseIndex = (text: string) => Number(parseInteger(text))

/** @throws RedisError when the sum does not fit into 64 bits */
export function addInteger(left: bigint, right: bigint): bigint {
  const sum = left + right
  if (sum > INT64_MAX || sum < INT64_MIN) throw new RedisError('ERR increment or decrement would overflow')
  return sum
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
