// Names of accounts that the page has seen in lists of members. The API shows ids, and names only to those who may know.
import type { Member } from '../client/api.ts'
import { createStore } from './state.ts'

export const people = createStore<ReadonlyMap<number, string>>(new Map())

export function notePeople(members: Pick<Member, 'account_id' | 'username'>[]): void {
  const next = new Map(people.get())
  for (const { account_id, username } of members) next.set(account_id, username)
  people.set(next)
}
