// Which screen an address shows, and back: `#/machines/42?status=ERROR`.

/** The screens, by the pattern of their path. */
const patterns = {
  board: '/',
  machine: '/machines/:id',
  newMachine: '/new-machine',
  sites: '/sites',
  site: '/sites/:id',
  me: '/me',
  accounts: '/accounts',
  audit: '/audit',
  signUp: '/sign-up',
  reset: '/reset-password',
} as const

export type ScreenName = keyof typeof patterns
export type Query = Record<string, string>
export type Route = { screen: ScreenName | 'notFound'; id: number | undefined; query: Query }

export function parseHash(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#/, '').split('?', 2)
  const query: Query = Object.fromEntries(new URLSearchParams(search))
  const parts = split(path)
  for (const [screen, pattern] of Object.entries(patterns) as [ScreenName, string][]) {
    // `Object.entries` forgets the type of the keys.
    const wanted = split(pattern)
    if (wanted.length !== parts.length) continue
    const isMatch = wanted.every((part, index) =>
      part === ':id' ? /^\d{1,15}$/.test(parts[index] ?? '') : part === parts[index],
    )
    if (!isMatch) continue
    const id = wanted.indexOf(':id')
    return { screen, id: id === -1 ? undefined : Number(parts[id]), query }
  }
  return { screen: 'notFound', id: undefined, query }
}

const split = (path: string) => path.split('/').filter((part) => part !== '')

export function toHash(screen: ScreenName, { id, query = {} }: { id?: number; query?: Query } = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString()
  return `#${patterns[screen].replace(':id', String(id))}${search && `?${search}`}`
}
