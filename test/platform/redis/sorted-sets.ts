// The commands about the members of sorted sets and their scores.
import { type CommandTable, pairs, type Run, read, write } from './command.ts'
import { formatScore, parseFloatText } from './number.ts'
import { RedisError, type Reply, syntaxError } from './reply.ts'
import { SortedSet, type Store } from './store.ts'

type Scored = [member: string, score: number]

const sortedSetOf = (store: Store, key: string) => store.sortedSet(key) ?? store.put(key, new SortedSet())
const score = (value: number | undefined): Reply => (value === undefined ? null : formatScore(value))

function sumScores(left: number, right: number): number {
  const sum = left + right
  if (Number.isNaN(sum)) throw new RedisError('ERR resulting score is not a number (NaN)')
  return sum
}

type AddFlags = {
  nx: boolean
  xx: boolean
  gt: boolean
  lt: boolean
  ch: boolean
  incr: boolean
}

function parseAddFlags(words: string[]): { flags: AddFlags; rest: string[] } {
  const flags: AddFlags = {
    nx: false,
    xx: false,
    gt: false,
    lt: false,
    ch: false,
    incr: false,
  }
  const isFlag = (word: string): word is keyof AddFlags => Object.hasOwn(flags, word)
  let at = 0
  for (; at < words.length; at += 1) {
    const word = (words[at] ?? '').toLowerCase()
    if (!isFlag(word)) break
    flags[word] = true
  }
  const rest = words.slice(at)
  if (rest.length === 0 || rest.length % 2 === 1) throw syntaxError()
  if (flags.nx && flags.xx) throw new RedisError('ERR XX and NX options at the same time are not compatible')
  if ([flags.nx, flags.gt, flags.lt].filter(Boolean).length > 1) {
    throw new RedisError('ERR GT, LT, and/or NX options at the same time are not compatible')
  }
  if (flags.incr && rest.length > 2) {
    throw new RedisError('ERR INCR option supports a single increment-element pair')
  }
  return { flags, rest }
}

/** The new score, or undefined when the flags forbid the change. */
function nextScore(old: number | undefined, given: number, flags: AddFlags): number | undefined {
  if (old === undefined) return flags.xx ? undefined : given
  if (flags.nx) return undefined
  const next = flags.incr ? sumScores(old, given) : given
  if ((flags.gt && next <= old) || (flags.lt && next >= old)) return undefined
  return next
}

const add = (key: string, ...words: string[]): Run => {
  const { flags, rest } = parseAddFlags(words)
  const entries = pairs(rest).map(([text, member]): Scored => [member, parseFloatText(text)])
  return ({ store }) => {
    if (!store.sortedSet(key) && flags.xx) return flags.incr ? null : 0
    const set = sortedSetOf(store, key)
    let added = 0
    let changed = 0
    let last: number | undefined
    for (const [member, given] of entries) {
      const old = set.get(member)
      last = nextScore(old, given, flags)
      if (last === undefined) continue
      if (old === undefined) added += 1
      else if (old !== last) changed += 1
      set.set(member, last)
    }
    if (flags.incr) return score(last)
    return flags.ch ? added + changed : added
  }
}

const increase = (key: string, amount: string, member: string): Run => {
  const by = parseFloatText(amount)
  return ({ store }) => {
    const sum = sumScores(store.sortedSet(key)?.get(member) ?? 0, by)
    sortedSetOf(store, key).set(member, sum)
    return formatScore(sum)
  }
}

export const sortedSetCommands: CommandTable = {
  zadd: write(-4, 'first', add),
  zincrby: write(4, 'first', increase),
  zscore: read(
    3,
    'first',
    (key: string, member: string) =>
      ({ store }) =>
        score(store.sortedSet(key)?.get(member)),
  ),
  zmscore: read(-3, 'first', (key: string, ...members: string[]) => ({ store }) => {
    const set = store.sortedSet(key)
    return members.map((member) => score(set?.get(member)))
  }),
  zcard: read(
    2,
    'first',
    (key: string) =>
      ({ store }) =>
        store.sortedSet(key)?.size ?? 0,
  ),
  zrem: write(-3, 'first', (key: string, ...members: string[]) => ({ store }) => {
    const set = store.sortedSet(key)
    const removed = members.filter((member) => set?.delete(member)).length
    store.deleteIfEmpty(key)
    return removed
  }),
}
