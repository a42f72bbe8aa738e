// Converts JSON parameters to PostgreSQL's text exactly as Neon's proxy does (proxy/src/serverless/json.rs).

// Node has these functions (ECMAScript proposal "JSON.parse source text access"), TypeScript's es2024 library does not: hence
// the `as`.
const { rawJSON, isRawJSON } = JSON as typeof JSON & {
  rawJSON(text: string): object
  isRawJSON(value: unknown): boolean
}
const parseWithSource = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
) => unknown

/**
 * Parses JSON as the proxy does: a number that is not exact in JavaScript keeps its digits, and a lone surrogate is an error.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  return parseWithSource(text, (_key, value, { source }) => {
    if (typeof value === 'string' && !value.isWellFormed()) throw new SyntaxError('lone surrogate in hex escape')
    if (typeof value === 'number' && source !== undefined && source !== String(value)) return rawJSON(source)
    return value
  })
}

/** The text of a parameter: strings unchanged, arrays as array literals, other values as JSON. */
export function parameterToText(value: unknown): string | null {
  if (value === null) return null
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return arrayLiteral(value)
  return JSON.stringify(value)
}

/**
 * The proxy quotes strings as JSON does. In an array literal, PostgreSQL reads a backslash and a character as that character,
 * so a line feed in an element becomes the letter n. The stand-in does the same.
 */
function arrayLiteral(values: unknown[]): string {
  const items = values.map((value) => {
    if (value === null) return 'NULL'
    if (Array.isArray(value)) return arrayLiteral(value)
    const json = JSON.stringify(value)
    return typeof value === 'object' && !isRawJSON(value) ? JSON.stringify(json) : json
  })
  return `{${items.join(',')}}`
}
