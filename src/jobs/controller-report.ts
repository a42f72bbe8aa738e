// Reads the answers of controllers to commands, and their reports of outcomes. Both are read leniently, because a machine
// cannot correct what it sends: the result is read even if the free text is invalid.
import { toDetail } from './job.ts'

const controllerResults = ['SUCCESS', 'REMOTEFAILED', 'PENDING'] as const
type ControllerResult = (typeof controllerResults)[number]

/** Names, and their numbers in the old system. */
const resultsByText = new Map<string, ControllerResult>([
  ...controllerResults.map((result) => [result, result] as const),
  ['1', 'SUCCESS'],
  ['2', 'REMOTEFAILED'],
  ['4', 'PENDING'],
])

export type ControllerReport = { result: ControllerResult; detail: string | null }

/** `not_json`: not JSON at all · `not_an_object`: other JSON · `no_result`: the result is missing or unknown. */
export type ReportFault = 'not_json' | 'not_an_object' | 'no_result'

/** @param contentType only its `charset` is used, and only if the bytes are not UTF-8 */
export function readControllerReport(
  bytes: Uint8Array,
  contentType: string | null = null,
): ControllerReport | ReportFault {
  const texts = decode(bytes, contentType)
  const value = parseFirst(texts)
  if (value !== undefined && !isObject(value.json)) return 'not_an_object'
  const report = value?.json ?? firstDefined(texts, salvageResult)
  if (!isObject(report)) return 'not_json'
  const result = readResult(report.result)
  return result ? { result, detail: readDetail(report.detail) } : 'no_result'
}

/**
 * The JSON that a controller sends, read as leniently as its answers.
 * @returns valid JSON as text; undefined if it is none
 */
export function readControllerJson(bytes: Uint8Array, contentType: string | null): string | undefined {
  const text = decodeAs('utf-8', bytes, true)
  if (text !== undefined && parse(text)) return text
  const value = parseFirst(decode(bytes, contentType))
  return value && JSON.stringify(value.json)
}

function parseFirst(texts: string[]): { json: unknown } | undefined {
  return firstDefined(texts, parse) ?? firstDefined(texts, (text) => parse(withoutFaults(text)))
}

/** The possible texts of the bytes, the most likely one first. */
function decode(bytes: Uint8Array, contentType: string | null): string[] {
  const byteOrderMark = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-16be'
  const isUtf16 = byteOrderMark === 'utf-16le' || (bytes[0] === 0xfe && bytes[1] === 0xff)
  const charset = readCharset(contentType)
  const texts = [
    isUtf16 ? decodeAs(byteOrderMark, bytes) : undefined,
    decodeAs('utf-8', bytes, true),
    charset === undefined ? undefined : decodeAs(charset, bytes),
    decodeAs('utf-8', bytes),
  ]
  return texts.filter((text) => text !== undefined)
}

/** @returns undefined if the runtime does not know the encoding, or if the bytes are not valid and must be */
function decodeAs(encoding: string, bytes: Uint8Array, mustBeValid = false): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: mustBeValid, ignoreBOM: false }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Windows' and Java's names of code pages, such as `CP949`, become those of the Encoding standard. */
function readCharset(contentType: string | null): string | undefined {
  const [, charset] = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType ?? '') ?? []
  return charset?.toLowerCase().replace(/^(?:cp|ms|x-windows-)(?=\d+$)/, 'windows-')
}

/** The value is wrapped, because `null` is also JSON. */
function parse(text: string): { json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** Corrects common faults of programs that build JSON without a library: raw control characters, and `\` in paths. */
function withoutFaults(text: string): string {
  const escapes = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\/g
  return text.replace(/\p{Cc}/gu, ' ').replace(escapes, (found) => (found === '\\' ? '\\\\' : found))
}

const string = String.raw`"[^"\\]*(?:\\.[^"\\]*)*"`
const member = String.raw`${string}\s*:\s*(?:${string}|[-+.\w]+)\s*`
const resultMember = String.raw`"result"\s*:\s*(?:"(\s*\w+\s*)"|(\d+))\s*`
/** A result with only complete members before it: the free text after it may be invalid or cut off. */
const resultFirst = new RegExp(String.raw`^\s*\{\s*(?:${member},\s*)*${resultMember}[,}]`)
/** A result with only complete members after it. */
const resultLast = new RegExp(String.raw`,\s*${resultMember}(?:,\s*${member})*\}\s*$`)

/**
 * The result in a body that is not valid JSON; the detail is the whole text. If the text has two results, none is read,
 * because one of them may be in the free text.
 */
function salvageResult(text: string): { result: string; detail: string } | undefined {
  const plain = withoutFaults(text)
  if (plain.split('"result"').length !== 2) return undefined
  const [, name, number] = resultFirst.exec(plain) ?? ((/^\s*\{/.test(plain) && resultLast.exec(plain)) || [])
  const result = name ?? number
  return result === undefined ? undefined : { result, detail: plain }
}

export function readResult(result: unknown): ControllerResult | undefined {
  if (typeof result !== 'string' && typeof result !== 'number') return undefined
  return resultsByText.get(String(result).trim().toUpperCase())
}

/** A detail of another type is shown as JSON. */
export function readDetail(detail: unknown): string | null {
  if (detail === undefined || detail === null) return null
  try {
    return toDetail(typeof detail === 'string' ? detail : JSON.stringify(detail))
  } catch {
    return null // nested too deeply for JSON.stringify
  }
}

function isObject(value: unknown): value is { result?: unknown; detail?: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function firstDefined<Item, Value>(items: readonly Item[], find: (item: Item) => Value | undefined): Value | undefined {
  for (const item of items) {
    const value = find(item)
    if (value !== undefined) return value
  }
  return undefined
}
