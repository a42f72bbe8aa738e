// What every endpoint of the QStash stand-in works with: the call as it came, and the parts that carry it out.
import type { StandInAnswer } from '../http.ts'
import type { Courier } from './courier.ts'
import type { PublishHeaders } from './publish.ts'
import { readQuery } from './query.ts'
import { refuse } from './refusal.ts'
import type { Store } from './store.ts'

/** `id` is what stood in the place of the path's `{id}`; `search` comes without its `?`. */
export type Call = { id: string; search: string; headers: PublishHeaders; body: Buffer }

/** @throws Refusal for a call that cannot be carried out. */
export type Handler = (call: Call) => StandInAnswer

/** For each path, in which `{id}` stands for one segment or a whole destination, its methods. */
export type Routes = Record<string, Record<string, Handler>>

export type Parts = { store: Store; courier: Courier; now: () => number }

/** The stand-in listens on the loopback interface only, so every publisher is this machine. */
export const callerIP = '127.0.0.1'

/** @throws Refusal 404 where there is no such id, 400 for query parameters, of which these calls know none. */
export function findById<Value>(values: Map<string, Value>, what: string, id: string, search: string): Value {
  readQuery(search, [])
  const value = values.get(id)
  if (value === undefined) throw refuse(404, `${what} ${id} not found`)
  return value
}
