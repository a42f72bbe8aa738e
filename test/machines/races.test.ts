// Race conditions of one machine's row, on a real PostgreSQL: PGlite has one connection and would hide them.
import { beforeAll, describe, expect, test } from 'vitest'
import { hasRealPostgres, type Person, type World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

describe.skipIf(!hasRealPostgres)('at the same time', () => {
  let world: World
  let owner: Person
  beforeAll(async () => {
    world = await useWorld()
    owner = await world.signUp()
  })

  test('20 PATCHes with one ETag: one succeeds, all others get 412', async () => {
    for (let round = 0; round < 5; round += 1) {
      const machine = await world.createMachine(owner)
      const headers = { 'If-Match': machine.etag }
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          owner.request('PATCH', `/api/machines/${machine.id}`, { body: { name: `Name ${n}` }, headers }),
        ),
      )
      const done = answers.filter(({ status }) => status === 200)
      expect(done).toHaveLength(1)
      expect(answers.filter(({ status, body }) => status === 412 && body.code === 'precondition_failed')).toHaveLength(
        19,
      )
      const { body } = await owner.request('GET', `/api/machines/${machine.id}`)
      expect(body).toEqual(done[0]?.body)
    }
  })

  test('20 requests with one Idempotency-Key register one machine and get the same answer', async () => {
    for (let round = 0; round < 5; round += 1) {
      const body = { name: `Twin ${round}`, location: 'Hall 1' }
      const headers = { 'Idempotency-Key': `twins-${round}` }
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => owner.request('POST', '/api/machines', { body, headers })),
      )
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
      expect(new Set(answers.map(({ body: { id } }) => id)).size).toBe(1)
      expect(answers.filter(({ headers: got }) => got.has('Idempotency-Replayed'))).toHaveLength(19)
      const { body: page } = await owner.request('GET', `/api/machines?owner_id=me&q=Twin%20${round}`)
      expect(page.items).toHaveLength(1)
    }
  })
})
