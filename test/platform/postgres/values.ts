// Values on their way through Neon's SQL endpoint: JSON parameters to PostgreSQL's text, and PostgreSQL's text to JSON.
// Both follow Neon's proxy (proxy/src/serverless/json.rs), its oddities included.

/** Writes one value as JSON text. */
export type Encoder = (text: string) => string

/** For each array type its element type, by oid; 0 for a type that is not an array. */
export type ElementTypes = ReadonlyMap<number, number>

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

const asString: Encoder = (text) => JSON.stringify(text)
const asItIs: Encoder = (text) => text
const asBoolean: Encoder = (text) => String(text === 't')
/** NaN, Infinity and -Infinity are no JSON numbers. */
const asFloat: Encoder = (text) => (Number.isFinite(Number(text)) ? text : JSON.stringify(text))

/** By oid, which for built-in types never changes (pg_type.dat). */
const ENCODERS = new Map<number, Encoder>([
  [16, asBoolean], // bool
  [21, asItIs], // int2
  [23, asItIs], // int4
  [114, asItIs], // json
  [3802, asItIs], // jsonb
  [700, asFloat], // float4
  [701, asFloat], // float8
])

/** How values of a type are written: raw, all of them are strings. */
export function encoderOf(typeId: number, isRaw: boolean, elementTypes: ElementTypes): Encoder {
  if (isRaw) return asString
  const elementType = elementTypes.get(typeId) ?? 0
  if (elementType === 0) return ENCODERS.get(typeId) ?? asString
  const encodeElement = encoderOf(elementType, false, elementTypes)
  return (text) => arrayToJson(text, encodeElement)
}

const QUOTED_ELEMENT = /"((?:[^"\\]+|\\.)*)"/sy
const BARE_ELEMENT = /[^,{}"]+/y

/**
 * Reads an array literal. Bounds in front of it (`[0:1]={…}`) are dropped, as JSON has no place for them. Elements are
 * parted at commas, in an array of boxes too, though PostgreSQL parts those by semicolons.
 * @throws Error when the text is no array literal
 */
function arrayToJson(text: string, encodeElement: Encoder): string {
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0
  const read = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match !== null) at = pattern.lastIndex
    return match
  }
  const readElement = (): string => {
    if (text[at] === '{') return readList()
    const quoted = read(QUOTED_ELEMENT)
    if (quoted !== null) return encodeElement((quoted[1] ?? '').replace(/\\(.)/gs, '$1'))
    const bare = read(BARE_ELEMENT)
    if (bare === null) throw new Error(`unbalanced array: ${text}`)
    return bare[0] === 'NULL' ? 'null' : encodeElement(bare[0])
  }
  const readList = (): string => {
    const elements: string[] = []
    at += 1
    while (text[at] !== '}') {
      elements.push(readElement())
      if (text[at] === ',') at += 1
    }
    at += 1
    return `[${elements.join(',')}]`
  }
  return readList()
}
