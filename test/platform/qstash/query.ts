// Filters, pages and ids in the query string of the QStash API: a repeated parameter or a comma list means OR,
// different parameters mean AND, and an unknown one is refused rather than overlooked.
// https://upstash.com/docs/qstash/api-reference/logs/list-logs
import { refuse } from './refusal.ts'

/** Each parameter with its values; one without values is not in it. */
export type Query = Map<string, string[]>

/** What the filters can look at; an absent fact matches no filter on it. */
export type Subject = {
  messageId: string
  url: string
  labels: string[]
  callerIP: string
  /** Unix milliseconds that `fromDate` and `toDate` speak of. */
  at: number
  state?: string
  responseStatus?: number
}

const sharedFilters = ['url', 'topicName', 'scheduleId', 'queueName', 'callerIp', 'callerIP', 'label', 'flowControlKey']
const dates = ['fromDate', 'toDate']

export const cancelFilters = [...sharedFilters, ...dates, 'host', 'path']
export const deadLetterFilters = [...sharedFilters, ...dates, 'messageId', 'responseStatus']
export const eventFilters = [...cancelFilters, 'messageId', 'messageIds', 'state']

const numeric = [...dates, 'responseStatus', 'count']
const inProgress = ['ACTIVE', 'RETRY', 'ERROR']
const states = ['CREATED', 'DELIVERED', 'FAILED', 'CANCEL_REQUESTED', 'CANCELED', 'IN_PROGRESS', ...inProgress]
const defaultPage = 100

/** @throws Refusal 400 for a parameter that is not `known`, is empty or should be a number and is none. */
export function readQuery(search: string, known: readonly string[]): Query {
  const query: Query = new Map()
  for (const [name, value] of new URLSearchParams(search)) {
    if (name === 'qstash_token') continue
    if (!known.includes(name)) throw refuse(400, `unknown query parameter: ${name}`)
    const values = value.split(',').map((part) => part.trim())
    if (values.includes('')) throw refuse(400, `empty query parameter: ${name}`)
    if (numeric.includes(name) && !values.every((part) => /^\d{1,15}$/.test(part))) {
      throw refuse(400, `invalid query parameter ${name}: ${value}`)
    }
    query.set(name, [...(query.get(name) ?? []), ...values])
  }
  for (const state of query.get('state') ?? []) {
    if (!states.includes(readState(state))) throw refuse(400, `invalid query parameter state: ${state}`)
  }
  return query
}

/** Whether `subject` passes every filter in `query`; parameters that are no filter do not matter. */
export function matches(query: Query, subject: Subject): boolean {
  const { host, pathname } = new URL(subject.url)
  const facts: Record<string, (string | undefined)[]> = {
    messageId: [subject.messageId],
    messageIds: [subject.messageId],
    url: [subject.url],
    label: subject.labels,
    callerIp: [subject.callerIP],
    callerIP: [subject.callerIP],
    host: [host],
    path: [pathname],
    state: [subject.state, inProgress.includes(subject.state ?? '') ? 'IN_PROGRESS' : undefined],
    responseStatus: [subject.responseStatus?.toString()],
    // Nothing here has one of these: they are not spoken, so a filter on them finds nothing.
    topicName: [],
    scheduleId: [],
    queueName: [],
    flowControlKey: [],
  }
  for (const [name, values] of query) {
    const fact = facts[name]
    if (fact && !values.some((value) => fact.includes(name === 'state' ? readState(value) : value))) return false
  }
  const from = query.get('fromDate')?.[0]
  const to = query.get('toDate')?.[0]
  return (from === undefined || subject.at >= Number(from)) && (to === undefined || subject.at <= Number(to))
}

/**
 * The first page of at most `maxCount` `items`, which come newest first and whose `key` falls from one to the next, after the cursor.
 * There is no cursor on the last page.
 * @throws Refusal 400 for a cursor that `isCursor` does not know.
 */
export function page<Item>(items: Iterable<Item>, query: Query, maxCount: number, key: (item: Item) => string) {
  const cursor = query.get('cursor')?.[0]
  if (cursor !== undefined && !/^\d{1,16}(-\d{1,9})?$/.test(cursor)) throw refuse(400, `invalid cursor: ${cursor}`)
  const count = Math.min(Number(query.get('count')?.[0] ?? defaultPage), maxCount)
  if (count === 0) throw refuse(400, 'invalid query parameter count: 0')
  const found: Item[] = []
  for (const item of items) {
    if (cursor !== undefined && compareKeys(key(item), cursor) >= 0) continue
    if (found.length === count) {
      // The loop comes here only with a full page, so there is a last item.
      return { items: found, cursor: key(found[count - 1] as Item) }
    }
    found.push(item)
  }
  return { items: found }
}

/**
 * The ids in the query or, as one SDK sends them, in a JSON body `{"messageIds": […]}`; undefined where neither
 * names any, which in a bulk call means: all.
 * @throws Refusal 400 for a body that is anything else.
 */
export function readIds(query: Query, body: Buffer, member: 'messageIds' | 'dlqIds'): string[] | undefined {
  if (body.length === 0) return query.get(member)
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString('utf8'))
  } catch {
    throw refuse(400, 'the body is not JSON')
  }
  const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : []
  const [name, ids]: [string, unknown] = entries[0] ?? ['', undefined]
  if (entries.length !== 1 || name !== member || !Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    throw refuse(400, `the body must be {"${member}": ["…"]}`)
  }
  return [...(query.get(member) ?? []), ...ids]
}

/** The documentation spells it with two L, both SDKs with one. */
function readState(value: string): string {
  return value === 'CANCELLED' ? 'CANCELED' : value
}

/** Keys are numbers (`17`) or pairs of them (`1725323658779-0`). */
function compareKeys(a: string, b: string): number {
  const [aFirst = 0, aSecond = 0] = a.split('-').map(Number)
  const [bFirst = 0, bSecond = 0] = b.split('-').map(Number)
  return aFirst - bFirst || aSecond - bSecond
}
