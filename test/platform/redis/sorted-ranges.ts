// The commands about parts of sorted sets: by rank, by score, at the ends.
import { type CommandTable, read, write } from './command.ts'
import { parsePopCount } from './lists.ts'
import { formatScore, parseFloatText, parseIndex, resolveRange } from './number.ts'
import { NotSpoken, RedisError, syntaxError, wrongArity } from './reply.ts'
import type { SortedSet } from './store.ts'

type Scored = [member: string, score: number]

// Equal scores are ordered by their bytes.
const byScore = ([memberA, a]: Scored, [memberB, b]: Scored) => a - b || (memberA < memberB ? -1 : 1)
const sorted = (set: SortedSet | undefined): Scored[] => [...(set ?? [])].sort(byScore)

type Bound = { score: number; isExclusive: boolean }

function parseBound(text: string): Bound {
  const isExclusive = text.startsWith('(')
  return {
    score: parseFloatText(isExclusive ? text.slice(1) : text, 'ERR min or max is not a float'),
    isExclusive,
  }
}

const within =
  (low: Bound, high: Bound) =>
  ([, value]: Scored) =>
    (low.isExclusive ? value > low.score : value >= low.score) &&
    (high.isExclusive ? value < high.score : value <= high.score)

type RangeOptions = {
  isByScore: boolean
  isReverse: boolean
  isWithScores: boolean
  offset: number
  count: number
}

function parseRangeOptions(words: string[], allowed: string[], preset: Partial<RangeOptions>): RangeOptions {
  const options = {
    isByScore: false,
    isReverse: false,
    isWithScores: false,
    offset: 0,
    count: -1,
    ...preset,
  }
  let hasLimit = false
  for (let at = 0; at < words.length; at += 1) {
    const word = (words[at] ?? '').toUpperCase()
    if (word === 'BYLEX' && allowed.includes('BYSCORE')) throw new NotSpoken('ZRANGE … BYLEX')
    if (!allowed.includes(word)) throw syntaxError()
    if (word === 'BYSCORE') options.isByScore = true
    else if (word === 'REV') options.isReverse = true
    else if (word === 'WITHSCORES') options.isWithScores = true
    else {
      const [offset, count] = [words[at + 1], words[at + 2]]
      if (offset === undefined || count === undefined) throw syntaxError()
      Object.assign(options, {
        offset: parseIndex(offset),
        count: parseIndex(count),
      })
      hasLimit = true
      at += 2
    }
  }
  if (hasLimit && !options.isByScore) {
    const reason = 'LIMIT is only supported in combination with either BYSCORE or BYLEX'
    throw new RedisError(`ERR syntax error, ${reason}`, { isQueueError: true })
  }
  return options
}

/** What the two bounds choose, by rank or by score, in the order asked for. */
function chooser(start: string, stop: string, options: RangeOptions): (set: SortedSet | undefined) => Scored[] {
  const inOrder = (all: Scored[]) => (options.isReverse ? all.reverse() : all)
  if (!options.isByScore) {
    const [first, last] = [parseIndex(start), parseIndex(stop)]
    return (set) => inOrder(sorted(set)).slice(...resolveRange(first, last, set?.size ?? 0))
  }
  const low = parseBound(options.isReverse ? stop : start)
  const high = parseBound(options.isReverse ? start : stop)
  const { offset, count } = options
  return (set) => {
    const chosen = inOrder(sorted(set).filter(within(low, high)))
    if (offset < 0) return []
    return chosen.slice(offset, count < 0 ? undefined : offset + count)
  }
}

function range(allowed: string[], preset: Partial<RangeOptions>) {
  return read(-4, 'first', (key: string, start: string, stop: string, ...words: string[]) => {
    const options = parseRangeOptions(words, allowed, preset)
    const choose = chooser(start, stop, options)
    return ({ store }) =>
      choose(store.sortedSet(key)).flatMap(([member, value]) =>
        options.isWithScores ? [member, formatScore(value)] : [member],
      )
  })
}

function removeRange(isByScore: boolean) {
  const options = {
    isByScore,
    isReverse: false,
    isWithScores: false,
    offset: 0,
    count: -1,
  }
  return write(4, 'first', (key: string, start: string, stop: string) => {
    const choose = chooser(start, stop, options)
    return ({ store }) => {
      const set = store.sortedSet(key)
      const removed = choose(set).filter(([member]) => set?.delete(member)).length
      store.deleteIfEmpty(key)
      return removed
    }
  })
}

function rank(name: string, isReverse: boolean) {
  return read(-3, 'first', (key: string, member: string, ...words: string[]) => {
    if (words.length > 1) throw wrongArity(name)
    if (words.length === 1) throw new NotSpoken(`${name.toUpperCase()} … WITHSCORE`)
    return ({ store }) => {
      const members = sorted(store.sortedSet(key)).map(([candidate]) => candidate)
      const found = (isReverse ? members.reverse() : members).indexOf(member)
      return found < 0 ? null : found
    }
  })
}

function popEnd(name: string, isHighest: boolean) {
  return write(-2, 'first', (key: string, ...words: string[]) => {
    if (words.length > 1) throw wrongArity(name)
    const count = words[0] === undefined ? 1 : parsePopCount(words[0])
    return ({ store }) => {
      const set = store.sortedSet(key)
      const taken = (isHighest ? sorted(set).reverse() : sorted(set)).slice(0, count)
      for (const [member] of taken) set?.delete(member)
      store.deleteIfEmpty(key)
      return taken.flatMap(([member, value]) => [member, formatScore(value)])
    }
  })
}

export const sortedRangeCommands: CommandTable = {
  zcount: read(4, 'first', (key: string, min: string, max: string) => {
    const isWithin = within(parseBound(min), parseBound(max))
    return ({ store }) => sorted(store.sortedSet(key)).filter(isWithin).length
  }),
  zrank: rank('zrank', false),
  zrevrank: rank('zrevrank', true),
  zrange: range(['BYSCORE', 'REV', 'LIMIT', 'WITHSCORES'], {}),
  zrevrange: range(['WITHSCORES'], { isReverse: true }),
  zrangebyscore: range(['LIMIT', 'WITHSCORES'], { isByScore: true }),
  zrevrangebyscore: range(['LIMIT', 'WITHSCORES'], {
    isByScore: true,
    isReverse: true,
  }),
  zremrangebyscore: removeRange(true),
  zremrangebyrank: removeRange(false),
  zpopmin: popEnd('zpopmin', false),
  zpopmax: popEnd('zpopmax', true),
}
