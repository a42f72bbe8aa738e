// Race conditions of one session, on a real PostgreSQL: PGlite has one connection and would hide them.
import { decodeJwt } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { hasRealPostgres, type World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

describe.skipIf(!hasRealPostgres)('at the same time', () => {
  let world: World
  beforeAll(async () => {
    world = await useWorld()
  })

  const refresh = (token: string) => world.request('POST', '/api/token/refresh', { body: { refresh: token } })
  const me = async (token: string) => (await world.request('GET', '/api/me', { token })).status

  test('50 refreshes with one token: all get the same next one, and live on', async () => {
    for (let round = 0; round < 4; round += 1) {
      const person = await world.signUp()
      const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(person.refresh)))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      const tokens = answers.map(({ body }) => body.token)
      expect(new Set(tokens.map((token) => decodeJwt(token.refresh).jti)).size).toBe(1)
      expect(new Set(await Promise.all(tokens.map(({ access }) => me(access))))).toEqual(new Set([200]))
      expect((await refresh(tokens[49].refresh)).status).toBe(200)
    }
  })

  test('50 refreshes with an old token, and 50 with the last one: the session has ended for all', async () => {
    const person = await world.signUp()
    const { body: first } = await refresh(person.refresh)
    const age = "UPDATE sessions SET refreshed_at = refreshed_at - interval '10 s' WHERE account_id = $1"
    await world.postgres.query(age, [person.id])
    const held = Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? person.refresh : first.token.refresh))
    const answers = await Promise.all(held.map(refresh))
    expect(answers.filter(({ body }) => body.code === 'refresh_reused').length).toBeGreaterThan(0)
    const issued = answers.flatMap(({ body }) => (body.token ? [body.token] : []))
    // Whoever refreshed before the first reuse has tokens of an ended session.
    for (const { access, refresh: next } of issued) {
      expect(await me(access)).toBe(401)
      expect((await refresh(next)).status).toBe(401)
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
