// The inputs of a request: mostly valid by the document, sometimes malformed.
import fc from 'fast-check'
import type { FuzzOperation } from './operations.ts'
import { fitting, unfit } from './schema.ts'

/** Values in place of an id in a path. */
export const strangeIds = [
  ...[
    '0',
    '-1',
    '00',
    '1e3',
    '0x10',
    '1.5',
    'me',
    'NaN',
    'null',
    '９',
    '9'.repeat(15),
    '9'.repeat(30),
    'x'.repeat(900),
  ],
  ...['%00', '%0a', '%2e%2e', '%2F', '1%2F2', '%F0%9F%8F%AD', '%E0%A4%A', '%ff', "1'--", '1;', '__proto__', 'history'],
  ...['999999999', '0198c0de-7c1a-7000-8000-00000000dead', '00000000-0000-0000-0000-000000000000', '{id}', ':id', '*'],
]

/** Encodes a text as bytes on the wire: Node expects a header as Latin-1. */
const wire = (text: string) => Buffer.from(text).toString('latin1')
const headerCharacter = fc
  .oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }))
  .map((code) => String.fromCharCode(code))
const strangeHeader = fc.oneof(
  fc.constantFrom(
    '',
    '*',
    '""',
    'W/"1.1"',
    '"',
    ',,,',
    '\t',
    'null',
    wire('사출기'),
    wire('🏭'.repeat(300)),
    'x'.repeat(1_000),
  ),
  fc.string({ unit: headerCharacter, maxLength: 300 }),
)
const nothing = fc.constant(undefined)
export const seldom = <Value>(arbitrary: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 14, arbitrary: nothing }, { weight: 1, arbitrary })

export const headers = fc
  .record({
    'CF-Connecting-IP': fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 1, max: 60 }).map((host) => `203.0.113.${host}`) },
      { weight: 1, arbitrary: strangeHeader },
    ),
    'User-Agent': seldom(strangeHeader),
    Accept: seldom(
      fc.oneof(fc.constantFrom('*/*', 'application/json', 'text/html;q=0', 'application/*;q=2'), strangeHeader),
    ),
    Origin: seldom(fc.constantFrom('https://app.example', 'null', 'nonsense')),
    'X-Forwarded-For': seldom(strangeHeader),
    'Accept-Encoding': seldom(fc.constantFrom('gzip', 'br', '*')),
  })
  .map((all) =>
    Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)),
  )

/** JSON texts that the parser must handle or refuse without a crash. */
const rawBodies: (string | Uint8Array)[] = [
  ...[
    '',
    ' ',
    '{',
    '{}',
    '[]',
    'null',
    '"',
    '{"a":}',
    '{"name":"a","name":"b"}',
    '\ufeff{}',
    '{"__proto__":{"name":"a"}}',
  ],
  ...[
    '{"constructor":{"prototype":{"is_staff":true}}}',
    '{"name":1e999}',
    '{"a":-0}',
    "{'a':1}",
    '{"a":NaN}',
    '[[[[1]]]]',
  ],
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `{"name":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
  `{"x":"${'x'.repeat(70_000)}"}`,
  new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]),
  new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]),
]

/** The headers that this operation describes; `known` stands for a value from an earlier answer. */
export function ownHeaders({ parameters }: FuzzOperation): fc.Arbitrary<Record<string, string>> {
  const value = fc.oneof({ weight: 4, arbitrary: fc.constant('known') }, { weight: 1, arbitrary: strangeHeader })
  const names = parameters.filter((each) => each.in === 'header').map((each) => each.name)
  return fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] })
}

export type BodyPlan = {
  /** Text and bytes are sent as they are. */
  body: unknown
  /** Members get known values: names, passwords, tokens, ids. */
  isInformed: boolean
  /** The body is certainly invalid, so it must be refused. */
  isUnfit: boolean
}

export function bodies({ body }: FuzzOperation): fc.Arbitrary<BodyPlan> {
  const as = (isInformed: boolean, isUnfit: boolean) => (value: unknown) => ({ body: value, isInformed, isUnfit })
  if (!body) return fc.constant(as(false, false)(undefined))
  return fc.oneof(
    { weight: 12, arbitrary: fitting(body).map(as(true, false)) },
    { weight: 3, arbitrary: fitting(body).map(as(false, false)) },
    { weight: 4, arbitrary: unfit(body).map(as(false, true)) },
    { weight: 2, arbitrary: fc.constantFrom(...rawBodies).map(as(false, false)) },
  )
}

export function queries({ parameters }: FuzzOperation): fc.Arbitrary<[string, string][]> {
  const described = parameters.filter((each) => each.in === 'query')
  if (described.length === 0) return fc.constant([])
  const strange = fc.constantFrom('', 'x', '0', '-1', '1e3', '%', 'nul\0', '🏭', "' OR 1=1 --", 'null', '9'.repeat(400))
  const one = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...described).chain(({ name, schema }) => pair(name, fitting(schema))) },
    { weight: 1, arbitrary: fc.constantFrom(...described).chain(({ name }) => pair(name, strange)) },
    { weight: 1, arbitrary: pair('nonsense', strange) },
  )
  // A parameter that is given twice is refused, so it is seldom.
  return fc.oneof(
    { weight: 4, arbitrary: fc.uniqueArray(one, { maxLength: 3, selector: ([name]) => name }) },
    { weight: 1, arbitrary: fc.array(one, { maxLength: 3 }) },
  )
}

const pair = (name: string, values: fc.Arbitrary<unknown>) =>
  values.map((value): [string, string] => [name, toText(value).toWellFormed()])

/** Not `String`: it throws for an object without a function `toString`, and random objects have members of any name. */
const toText = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
