// Values from earlier answers: ids of every kind (of members, their paths) and their owners, cursors, ETags, tokens.
import type { Answer } from '../harness.ts'

export type Kind =
  | 'machines'
  | 'jobs'
  | 'sessions'
  | 'accounts'
  | 'sites'
  | 'keys'
  | 'site members'
  | 'machine members'
  | 'holds'

/** The number of newest values kept per kind, large enough that old values are used again. */
class Pool {
  readonly #values: string[] = []

  add(value: string): void {
    if (this.#values.includes(value)) return
    this.#values.push(value)
    if (this.#values.length > 60) this.#values.shift()
  }

  take(pick: number): string | undefined {
    return this.#values[pick % Math.max(1, this.#values.length)]
  }
}

export class Knowledge {
  readonly #pools = new Map<string, Pool>()
  /** The newest of each machine, by its path. */
  readonly #etags = new Map<string, string>()
  /** Of each job that was sent. */
  readonly #outcomeTokens = new Map<string, string>()

  #pool(name: string): Pool {
    const pool = this.#pools.get(name) ?? new Pool()
    this.#pools.set(name, pool)
    return pool
  }

  addId(kind: Kind, id: unknown, owner?: unknown): void {
    this.#pool(kind).add(String(id))
    if (owner !== undefined) this.#pool(`${kind} of ${owner}`).add(String(id))
  }

  /** Picks an id, more often one of this account than of others. */
  takeId(kind: Kind, pick: number, owner: number): string | undefined {
    const own = pick % 4 > 0 ? this.#pool(`${kind} of ${owner}`).take(pick) : undefined
    return own ?? this.#pool(kind).take(pick)
  }

  takeResetToken(pick: number): string | undefined {
    return this.#pool('reset tokens').take(pick)
  }

  addRefreshToken(token: string): void {
    this.#pool('refresh tokens').add(token)
  }

  takeRefreshToken(pick: number): string | undefined {
    return this.#pool('refresh tokens').take(pick)
  }

  addOutcomeToken(jobId: string, token: string): void {
    this.#outcomeTokens.set(jobId, token)
    this.#pool('jobs with an outcome token').add(jobId)
  }

  takeOutcomeToken(pick: number): { jobId: string; token: string } | undefined {
    const jobId = this.#pool('jobs with an outcome token').take(pick)
    const token = this.#outcomeTokens.get(jobId ?? '')
    return jobId !== undefined && token !== undefined ? { jobId, token } : undefined
  }

  /** A cursor, mostly of this list. */
  takeCursor(path: string, pick: number): string | undefined {
    return this.#pool(pick % 8 > 0 ? `cursors of ${path}` : 'cursors').take(pick)
  }

  /** An ETag, mostly the current one of the resource at this path. */
  takeEtag(path: string, pick: number): string | undefined {
    return (pick % 4 > 0 ? this.#etags.get(path) : undefined) ?? this.#pool('etags').take(pick)
  }

  takeCode(pick: number): string | undefined {
    return this.#pool('codes').take(pick)
  }

  /** @param caller the account that got the answer */
  learn(path: string, { body, headers }: Answer, caller: number): void {
    const bare = path.replace(/\?.*/, '')
    const etag = headers.get('ETag')
    if (etag !== null) {
      this.#etags.set(headers.get('Location') ?? bare, etag)
      this.#pool('etags').add(etag)
    }
    if (typeof body !== 'object' || body === null) return
    if (typeof body.code === 'string') this.#pool('codes').add(body.code)
    if (typeof body.next_cursor === 'string') {
      for (const name of ['cursors', `cursors of ${bare}`]) this.#pool(name).add(body.next_cursor)
    }
    if (typeof body.account_id === 'number') {
      this.addId(
        bare.startsWith('/api/sites') ? 'site members' : 'machine members',
        `${bare}/${body.account_id}`,
        caller,
      )
    }
    if (typeof body.reset_token === 'string') this.#pool('reset tokens').add(body.reset_token)
    if (body.token) this.addRefreshToken(body.token.refresh)
    for (const item of Array.isArray(body.items) ? body.items : [body.user ?? body.key ?? body])
      this.#learnItem(item, caller)
  }

  /** Recognizes the kind of a resource by members that only this kind has. */
  #learnItem(item: Record<string, unknown>, caller: number): void {
    if ('placed_by' in item) {
      this.addId('holds', `/api/machines/${item.machine_id}/holds/${item.id}`, item.placed_by)
      return
    }
    if ('machine_owner_id' in item) this.addId('jobs', item.id, item.requested_by)
    else if ('controller_url' in item) this.addId('machines', item.id, item.owner_id)
    else if ('scopes' in item) this.addId('keys', item.id, caller)
    else if (item.my_role === 'manager') this.addId('sites', item.id, caller)
    else if ('account_id' in item) this.addId('accounts', item.account_id)
    else if ('username' in item) this.addId('accounts', item.id)
    else if ('user_agent' in item) this.addId('sessions', item.id)
  }
}
