// Helpers for the tests of the machine list: read a page, read all pages, insert rows by SQL.
import { expect } from 'vitest'
import type { Answer, Person, World } from '../harness.ts'

export type Item = { id: number; name: string; created_at: string; updated_at: string }

export const list = (person: Person, query: Record<string, string | number>): Promise<Answer> =>
  person.request(
    'GET',
    `/api/machines?${new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]))}`,
  )

/** Follows the pages to the end, by Link and `next_cursor` in turn; calls `between` after each page. */
export async function walk(
  person: Person,
  query: Record<string, string | number>,
  between = async () => {},
): Promise<Item[]> {
  const items: Item[] = []
  let answer = await list(person, query)
  for (let page = 1; ; page += 1) {
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.body)).toEqual(['items', 'next_cursor'])
    items.push(...answer.body.items)
    if (items.length > 1_000) throw new Error('the pages do not come to an end')
    const cursor: string | null = answer.body.next_cursor
    const link = answer.headers.get('Link')
    if (cursor === null) {
      expect(link).toBeNull()
      return items
    }
    expect(answer.body.items).toHaveLength(Number(query.limit))
    const [, next = ''] = /^<([^>]+)>; rel="next"$/.exec(link ?? '') ?? []
    await between()
    answer = page % 2 === 1 ? await person.request('GET', next) : await list(person, { ...query, cursor })
  }
}

/** Inserts rows by SQL, so that sort values can be equal to the microsecond. */
export async function insertMachines(
  { postgres }: World,
  owner: Person,
  rows: { name?: string; location?: string; status?: string; at?: string; deleted?: boolean }[],
) {
  const whole = rows.map((row) => ({ name: 'm', location: 'l', status: 'READY', at: '2026-01-01T00:00:00Z', ...row }))
  await postgres.query(
    `INSERT INTO machines (name, location, status, owner_id, created_at, updated_at, deleted_at)
     SELECT name, location, status, $2, at, at, CASE WHEN deleted THEN now() END
     FROM jsonb_to_recordset($1) AS r (name text, location text, status text, at timestamptz, deleted boolean)`,
    [JSON.stringify(whole), owner.id],
  )
}

export const namesOf = (answer: Answer) => answer.body.items.map(({ name }: Item) => name)
