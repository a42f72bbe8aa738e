// Race conditions of one session, on a real PostgreSQL: PGlite has one connection and would hide them.
import { beforeAll, describe, expect, test } from 'vitest'
import { hasRealPostgres, type World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

describe.skipIf(!hasRealPostgres)('at the same time', () => {
  let world: World
  beforeAll(async () => {
    world = await useWorld()
  })

  test('50 refreshes with one token: one succeeds, and the session has ended for it too', async () => {
    for (let round = 0; round < 4; round += 1) {
      const person = await world.signUp()
      const refresh = () => world.request('POST', '/api/token/refresh', { body: { refresh: person.refresh } })
      const answers = await Promise.all(Array.from({ length: 50 }, refresh))
      const won = answers.filter(({ status }) => status === 200)
      expect(won).toHaveLength(1)
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(49)
      const { access, refresh: next } = won[0]?.body.token ?? {}
      expect((await world.request('GET', '/api/me', { token: access })).status).toBe(401)
      expect((await world.request('POST', '/api/token/refresh', { body: { refresh: next } })).status).toBe(401)
    }
  })

  test('a refresh and a log-out: in any order, the session has ended', async () => {
    // In sequence: simultaneous sign-ups are refused when the hash queue is full.
    for (let round = 0; round < 10; round += 1) {
      const person = await world.signUp()
      const [refreshed, ended] = await Promise.all([
        world.request('POST', '/api/token/refresh', { body: { refresh: person.refresh } }),
        person.request('POST', '/api/log-out'),
      ])
      expect(ended.status).toBe(204)
      expect([200, 401]).toContain(refreshed.status)
      const token = refreshed.body.token?.access ?? person.access
      expect((await world.request('GET', '/api/me', { token })).status).toBe(401)
    }
  })
})
