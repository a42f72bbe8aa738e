// JSON parameters as PostgreSQL's text, as Neon's proxy makes it (proxy/src/serverless/json.rs), its oddities included.

// Node has these (ECMAScript proposal "JSON.parse source text access"); TypeScript's es2024 library does not know them,
// hence the `as`.
const { rawJSON, isRawJSON } = JSON as typeof JSON & {
  rawJSON(text: string): object
  isRawJSON(value: unknown): boolean
}
const parseWithSource = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
) => unknown

/**
 * Parses JSON as the proxy does: a number that a JavaScript number cannot hold keeps its digits, and a lone surrogate
 * is no text.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  return parseWithSource(text, (_key, value, { source }) => {
    if (typeof value === 'string' && !value.isWellFormed()) throw new SyntaxError('lone surrogate in hex escape')
    if (typeof value === 'number' && source !== undefined && source !== String(value)) return rawJSON(source)
    return value
  })
}

/** A parameter as the text that is bound: strings as they are, other values as their JSON, arrays as array literals. */
export function parameterToText(value: unknown): string | null {
  if (value === null) return null
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return arrayLiteral(value)
  return JSON.stringify(value)
}

/**
 * The proxy quotes strings as JSON does. PostgreSQL reads a backslash in an array literal as "the next character
 * itself", so a line feed in an element becomes the letter n: there, and so here.
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
