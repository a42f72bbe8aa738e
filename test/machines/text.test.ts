// Names and places of machines: stored in NFC and trimmed, and found however the search is written.
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { list } from './listing.ts'

let world: World
let person: Person
beforeAll(async () => {
  world = await useWorld()
  person = await world.signUp()
})

test.each(['NFC', 'NFD'])('a machine that is registered in %s is stored in NFC and found in both', async (form) => {
  const name = `사출기 ${randomUUID()}`
  const body = { name: `  ${name.normalize(form)} `, location: `\t각각 ${name.normalize(form)}\n` }
  const created = await person.request('POST', '/api/machines', { body })
  expect(created.body).toMatchObject({ name, location: `각각 ${name}` })
  for (const q of [name, name.normalize('NFD'), ` ${name} `]) {
    expect((await list(person, { q })).body.items.map(({ id }: { id: number }) => id)).toEqual([created.body.id])
  }
  const changed = await person.request('PATCH', `/api/machines/${created.body.id}`, { body: { name: body.name } })
  expect(changed.headers.get('ETag')).toBe(created.headers.get('ETag'))
})

test('the length of a name is counted in NFC', async () => {
  const name = '각'.repeat(64)
  const post = (sent: string) =>
    person.request('POST', '/api/machines', { body: { name: sent.normalize('NFD'), location: 'Hall 1' } })
  expect((await post(name)).body.name).toBe(name)
  expect((await post(`${name}각`)).status).toBe(422)
})

test.each(['\u200b', '\u3164', '\u1160\u115f', ' \u00ad ', '\uffa0\ufeff'])(
  'a name or a place of which nothing can be seen is refused as blank: %j',
  async (blank) => {
    for (const body of [
      { name: blank, location: 'Hall 1' },
      { name: 'Machine', location: blank },
    ]) {
      const { status, body: problem } = await person.request('POST', '/api/machines', { body })
      expect([status, problem.errors?.[0].detail]).toEqual([422, 'must not be blank'])
    }
  },
)
