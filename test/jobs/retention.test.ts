// Which rows the sweep deletes because they are no longer needed.
import { beforeAll, expect, test } from 'vitest'
import type { World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'

let world: World
beforeAll(async () => {
  world = await useQuietWorld()
})

test('old idempotency keys and expired sessions are deleted, others are kept', async () => {
  const [kept, gone] = [await world.signUp(), await world.signUp()]
  for (const person of [kept, gone]) {
    const body = { name: 'm', location: 'l' }
    await person.request('POST', '/api/machines', { body, headers: { 'Idempotency-Key': 'swept' } })
  }
  const old = "UPDATE idempotency_keys SET created_at = now() - interval '24 hours' WHERE account_id = $1"
  await world.postgres.query(old, [gone.id])
  const ranOut = "UPDATE sessions SET expires_at = now() - interval '8 days' WHERE account_id = $1"
  await world.postgres.query(ranOut, [gone.id])
  await world.sweep()
  for (const table of ['idempotency_keys', 'sessions']) {
    const rows = await world.postgres.query(`SELECT account_id FROM ${table} WHERE account_id = ANY ($1)`, [
      [kept.id, gone.id],
    ])
    expect(rows.map(({ account_id }) => Number(account_id))).toEqual([kept.id])
  }
})
