// Names of accounts that the page has seen in lists of members and of accounts. The API shows ids, and names only to those
// who may know.
import type { Member, User } from '../client/api.ts'
import { createStore } from './state.ts'

export const people = createStore<ReadonlyMap<number, string>>(new Map())

export function notePeople(members: Pick<Member, 'account_id' | 'username'>[]): void {
  const next = new Map(people.get())
  for (const { account_id, username } of members) next.set(account_id, username)
  people.set(next)
}

export function noteAccounts(users: User[]): void {
  notePeople(users.map(({ id, username }) => ({ account_id: id, username })))
}

/** The next user of this page may not be allowed to see them. */
export function forgetPeople(): void {
  people.set(new Map())
}
