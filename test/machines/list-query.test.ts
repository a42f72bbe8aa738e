// The query of the machine list: invalid parameters are named, and none causes an error of the server.
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeCursor } from '../../src/kernel/page.ts'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { list } from './listing.ts'

let world: World
let person: Person
beforeAll(async () => {
  world = await useWorld()
  person = await world.signUp()
})

const cursorFor = (sort: string, value: string, id: string) => encodeCursor({ sort, value, id })

describe('an invalid query is answered 422 with the name of the parameter', () => {
  test.each<[string, Record<string, string>]>([
    ['limit', { limit: '0' }],
    ['limit', { limit: '501' }],
    ['limit', { limit: '-1' }],
    ['limit', { limit: '1.5' }],
    ['limit', { limit: '1e1' }],
    ['limit', { limit: '0x10' }],
    ['limit', { limit: '' }],
    ['limit', { limit: ' 5' }],
    ['limit', { limit: 'all' }],
    ['limit', { limit: '9'.repeat(400) }],
    ['status', { status: '5' }],
    ['status', { status: '' }],
    ['status', { status: 'ready' }],
    ['owner_id', { owner_id: '0' }],
    ['owner_id', { owner_id: '-1' }],
    ['owner_id', { owner_id: 'you' }],
    ['owner_id', { owner_id: '1e3' }],
    ['owner_id', { owner_id: '9'.repeat(30) }],
    ['q', { q: '' }],
    ['q', { q: 'x'.repeat(257) }],
    ['q', { q: 'a\0b' }],
    ['sort', { sort: 'owner_id' }],
    ['sort', { sort: '+name' }],
    ['sort', { sort: '--name' }],
    ['sort', { sort: 'name; DROP TABLE machines' }],
    ['sort', { sort: '' }],
    ['cursor', { cursor: '' }],
    ['cursor', { cursor: 'garbage' }],
    ['cursor', { cursor: '🏭' }],
    ['cursor', { cursor: 'x'.repeat(1024) }],
    ['cursor', { cursor: 'x'.repeat(5000) }],
    ['cursor', { cursor: cursorFor('id', '1', '1'), sort: 'name' }],
    ['cursor', { cursor: cursorFor('id', '1', '1'), sort: '-id' }],
    ['cursor', { cursor: cursorFor('id', 'x', '1') }],
    ['cursor', { cursor: cursorFor('id', '1', 'x') }],
    ['cursor', { cursor: cursorFor('id', '9'.repeat(20), '1') }],
    ['cursor', { cursor: cursorFor('id', '1', '9'.repeat(20)) }],
    ['cursor', { cursor: cursorFor('name', 'a\0b', '1'), sort: 'name' }],
    ['cursor', { cursor: cursorFor('name', 'x'.repeat(257), '1'), sort: 'name' }],
    ['cursor', { cursor: cursorFor('created_at', 'now', '1'), sort: 'created_at' }],
    ['cursor', { cursor: cursorFor('created_at', '2026-02-30 00:00:00+00', '1'), sort: 'created_at' }],
    ['cursor', { cursor: cursorFor('created_at', '0000-01-01 00:00:00+00', '1'), sort: 'created_at' }],
    ['cursor', { cursor: cursorFor('-updated_at', '2026-01-01 99:00:00+00', '1'), sort: '-updated_at' }],
    ['cursor', { cursor: Buffer.from('["id",1,1]').toString('base64url') }],
    ['cursor', { cursor: Buffer.from('{"sort":"id"}').toString('base64url') }],
  ])('%s in %j', async (parameter, query) => {
    const answer = await list(person, query)
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
    for (const error of answer.body.errors) expect(error).toEqual({ parameter, detail: expect.stringMatching(/./) })
  })

  test('a duplicate parameter', async () => {
    for (const query of ['limit=1&limit=2', 'status=READY&status=ERROR', 'cursor=a&cursor=b', 'sort=id&sort=id']) {
      const answer = await person.request('GET', `/api/machines?${query}`)
      const parameter = query.replace(/=.*/, '')
      const errors = [{ parameter, detail: 'was given twice; give it once' }]
      expect([query, answer.status, answer.body.errors]).toEqual([query, 422, errors])
    }
    const thrice = await person.request('GET', '/api/machines?q=a&q=b&q=c')
    expect(thrice.body.errors).toEqual([{ parameter: 'q', detail: 'was given 3 times; give it once' }])
  })

  test('a well-formed forged cursor is accepted, because it shows only what the list shows', async () => {
    const answer = await list(person, { cursor: cursorFor('name', "z' OR 1=1 --", '1'), sort: 'name' })
    expect(answer.status).toBe(200)
  })

  test('unknown parameters are named together with invalid ones', async () => {
    const answer = await list(person, { page: 2, limit: 0, stauts: 'READY' })
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
    const detail = 'is not a parameter of this path; it takes limit, cursor, status, owner_id, site_id, q, sort'
    expect(answer.body.errors).toEqual([
      { parameter: 'page', detail },
      { parameter: 'stauts', detail },
      { parameter: 'limit', detail: 'must be 1 to 500' },
    ])
  })
})
