// The screen of the current address. Back, forward and reload keep the place and the filters.
import { parseHash, type Query, type Route, toHash } from './address.ts'
import { createStore } from './state.ts'

export const route = createStore<Route>(parseHash(''))

export function startRouter(): void {
  const read = () => route.set(parseHash(location.hash))
  addEventListener('hashchange', read)
  read()
}

export function navigate(hash: string): void {
  location.hash = hash
}

/** Changes the filters of the current screen without a step in the history. */
export function replaceQuery(query: Query): void {
  const { screen, id } = route.get()
  if (screen === 'notFound') return
  history.replaceState(null, '', toHash(screen, { ...(id !== undefined && { id }), query }))
  route.set(parseHash(location.hash))
}
