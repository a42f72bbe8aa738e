// The commands on streams: an append-only list of entries, each with an id that rises.
import { type CommandTable, type Run, read, write } from './command.ts'
import { parseIndex } from './number.ts'
import { NotImplemented, RedisError, type Reply, wrongArity } from './reply.ts'
import type { Stream, StreamEntry } from './store.ts'

const invalidId = () => new RedisError('ERR Invalid stream ID specified as stream command argument')

type Id = readonly [ms: bigint, seq: bigint]

const compare = (one: Id, other: Id) => Number(one[0] - other[0]) || Number(one[1] - other[1])
const textOf = ([ms, seq]: Id) => `${ms}-${seq}`

/** @param seqWithout the second part of an id that has only the first */
function parseId(text: string, seqWithout: bigint): Id {
  const [, ms, seq] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  if (ms === undefined) throw invalidId()
  return [BigInt(ms), seq === undefined ? seqWithout : BigInt(seq)]
}

/** `XADD key [MAXLEN [=|~] count] * field value …`. Redis may keep some more with `~`; here it keeps none. */
const add = (key: string, ...words: string[]): Run => {
  let keep = Number.POSITIVE_INFINITY
  if (words[0]?.toUpperCase() === 'MAXLEN') {
    words.shift()
    if (words[0] === '~' || words[0] === '=') words.shift()
    keep = parseIndex(words.shift() ?? '')
  }
  const [id, ...fields] = words
  if (id !== '*') throw new NotImplemented(`XADD with ${id}`)
  if (fields.length === 0 || fields.length % 2 !== 0) throw wrongArity('xadd')
  return ({ store }) => {
    const stream: Stream = store.stream(key) ?? { entries: [], last: [0n, 0n] }
    const ms = BigInt(Date.now())
    const [lastMs, lastSeq] = stream.last
    stream.last = ms > lastMs ? [ms, 0n] : [lastMs, lastSeq + 1n]
    stream.entries.push({ id: stream.last, fields })
    stream.entries.splice(0, stream.entries.length - keep)
    store.setStream(key, stream)
    return textOf(stream.last)
  }
}

const first: Id = [0n, 0n]
const last: Id = [2n ** 64n, 0n]

type Bound = { id: Id; isExclusive: boolean }

function parseBound(text: string, seqWithout: bigint): Bound {
  if (text === '-') return { id: first, isExclusive: false }
  if (text === '+') return { id: last, isExclusive: false }
  const isExclusive = text.startsWith('(')
  return { id: parseId(isExclusive ? text.slice(1) : text, seqWithout), isExclusive }
}

const isAfter = ({ id, isExclusive }: Bound, entry: StreamEntry) => compare(entry.id, id) >= (isExclusive ? 1 : 0)
const isBefore = ({ id, isExclusive }: Bound, entry: StreamEntry) => compare(entry.id, id) <= (isExclusive ? -1 : 0)
const replyOf = ({ id, fields }: StreamEntry): Reply => [textOf(id), fields]

function range(key: string, from: string, to: string, options: string[], isReverse: boolean): Run {
  const start = parseBound(from, 0n)
  const end = parseBound(to, 2n ** 64n)
  if (options.length !== 0 && options.length !== 2) throw new RedisError('ERR syntax error')
  if (options[0] !== undefined && options[0].toUpperCase() !== 'COUNT') throw new RedisError('ERR syntax error')
  const count = options[1] === undefined ? Number.POSITIVE_INFINITY : parseIndex(options[1])
  return ({ store }) => {
    const found = (store.stream(key)?.entries ?? []).filter((entry) => isAfter(start, entry) && isBefore(end, entry))
    return (isReverse ? found.reverse() : found).slice(0, count).map(replyOf)
  }
}

export const streamCommands: CommandTable = {
  xadd: write(-5, 'first', add),
  xrange: read(-4, 'first', (key, from = '', to = '', ...options) => range(key, from, to, options, false)),
  xrevrange: read(-4, 'first', (key, to = '', from = '', ...options) => range(key, from, to, options, true)),
}
