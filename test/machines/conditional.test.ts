// Entity tags of machines: they save reads, and prevent overwriting the changes of others.
import { beforeAll, expect, test } from 'vitest'
import type { Person, TestMachine, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

let world: World
let owner: Person
let stranger: Person
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
  stranger = await world.signUp()
})

const pathOf = ({ id }: TestMachine) => `/api/machines/${id}`
const read = (person: Person, machine: TestMachine, headers = {}) => person.request('GET', pathOf(machine), { headers })
const patch = (machine: TestMachine, headers: Record<string, string>, body: unknown = { name: 'New' }) =>
  owner.request('PATCH', pathOf(machine), { body, headers })

const suffixed = (suffix: string) => (etag: string) => etag.replace(/"$/, `${suffix}"`)
/** What proxies that compress make of a tag. */
const proxied: [string, (etag: string) => string][] = [
  ['its tag, weak', (etag) => `W/${etag}`],
  ...['-gzip', '-br', '--gzip', '-zstd'].map((suffix): [string, (etag: string) => string] => [
    `its tag with ${suffix}`,
    suffixed(suffix),
  ]),
  ['its tag with -gzip, weak', (etag) => `W/${suffixed('-gzip')(etag)}`],
  ['a list with its tag, weak', (etag) => `W/"1.1", W/${etag} , "x"`],
]

test.each<[string, (etag: string) => string]>([
  ['its tag', (etag) => etag],
  ...proxied,
  ['a list with its tag', (etag) => `"1.1", ${etag} , "x"`],
  ['any', () => '*'],
])('If-None-Match with %s answers 304 without a body, with the tag', async (_, headerFor) => {
  const machine = await world.createMachine(owner)
  for (const method of ['GET', 'HEAD']) {
    const headers = { 'If-None-Match': headerFor(machine.etag) }
    const answer = await owner.request(method, pathOf(machine), { headers })
    expect([method, answer.status, answer.text]).toEqual([method, 304, ''])
    expect(answer.headers.get('ETag')).toBe(machine.etag)
    expect(answer.headers.get('Content-Type')).toBeNull()
    expect(answer.headers.get('X-Request-Id')).toMatch(/./)
  }
})

test.each(['"0.0"', 'x', '"', '"*"', '""', ','])('If-None-Match: %s answers the machine', async (header) => {
  const machine = await world.createMachine(owner)
  const answer = await read(owner, machine, { 'If-None-Match': header })
  expect([answer.status, answer.body]).toEqual([200, machine.body])
})

test('an old tag gets the new machine with a new tag', async () => {
  const machine = await world.createMachine(owner)
  const changed = await patch(machine, {})
  expect(changed.headers.get('ETag')).not.toBe(machine.etag)
  const answer = await read(owner, machine, { 'If-None-Match': machine.etag })
  expect([answer.status, answer.body.name]).toEqual([200, 'New'])
  expect(answer.headers.get('ETag')).toBe(changed.headers.get('ETag'))
})

test('a change of the machine by a job gives a new tag', async () => {
  const machine = await world.createMachine(owner)
  const { body: job } = await world.operate(owner, machine.id, 'START')
  await world.waitForJob(owner, job.id, 'SUCCEEDED')
  const answer = await read(owner, machine, { 'If-None-Match': machine.etag })
  expect([answer.status, answer.body.status]).toEqual([200, 'RUNNING'])
})

test('If-None-Match: * for an unknown machine is answered 404', async () => {
  const answer = await owner.request('GET', '/api/machines/999999999', { headers: { 'If-None-Match': '*' } })
  expect(answer.status).toBe(404)
})

test('the views of a manager and of others have different tags', async () => {
  const machine = await world.createMachine(owner)
  const publicTag = (await read(stranger, machine)).headers.get('ETag') ?? ''
  expect(publicTag).not.toBe(machine.etag)
  expect((await read(stranger, machine, { 'If-None-Match': machine.etag })).status).toBe(200)
  expect((await read(owner, machine, { 'If-None-Match': publicTag })).status).toBe(200)
  expect((await read(stranger, machine, { 'If-None-Match': publicTag })).status).toBe(304)
  expect((await patch(machine, { 'If-Match': publicTag })).status).toBe(412)
})

const whole = { name: 'New', location: 'Elsewhere' }
const writes: [string, unknown][] = [
  ['PATCH', { name: 'New' }],
  ['PUT', whole],
  ['DELETE', undefined],
]

test.each(writes)('%s with an old tag in If-Match is answered 412 and changes nothing', async (method, body) => {
  const machine = await world.createMachine(owner)
  const { body: between } = await patch(machine, {}, { location: 'Hall 2' })
  const answer = await owner.request(method, pathOf(machine), { body, headers: { 'If-Match': machine.etag } })
  expect([answer.status, answer.body.code]).toEqual([412, 'precondition_failed'])
  expect((await read(owner, machine)).body).toEqual(between)
})

test.each(writes)('%s with the current tag, a list with it, or * succeeds', async (method, body) => {
  for (const headerFor of [(etag: string) => etag, (etag: string) => `"x", ${etag}`, () => '*']) {
    const machine = await world.createMachine(owner)
    const headers = { 'If-Match': headerFor(machine.etag) }
    const answer = await owner.request(method, pathOf(machine), { body, headers })
    expect(answer.status).toBe(method === 'DELETE' ? 204 : 200)
  }
})

test.each(proxied)('If-Match with %s succeeds; after a change it answers 412', async (_, headerFor) => {
  const machine = await world.createMachine(owner)
  const headers = { 'If-Match': headerFor(machine.etag) }
  const changed = await patch(machine, headers)
  expect(changed.status).toBe(200)
  expect(changed.headers.get('ETag')).toMatch(/^"\d+\.\d+"$/) // ours is strong
  expect((await patch(machine, headers, { name: 'Newer' })).status).toBe(412)
})

test.each([
  ["another machine's weak tag", () => 'W/"0.1"'],
  ['the tag without quotes', (etag: string) => etag.replaceAll('"', '')],
  ['no tag at all', () => ','],
  ["another machine's tag", () => '"0.1"'],
  ['a forged tag', () => `"{1.1"`],
  ['a tag with SQL in it', () => `"'||(SELECT 1)||'"`],
  ['a tag with braces and commas', () => '"{a,b}","\\"'],
  ['a very long list', () => Array(300).fill('"x"').join(', ')],
])('If-Match with %s answers 412', async (_, headerFor) => {
  const machine = await world.createMachine(owner)
  const answer = await patch(machine, { 'If-Match': headerFor(machine.etag) })
  expect([answer.status, answer.body.code]).toEqual([412, 'precondition_failed'])
  expect((await read(owner, machine)).headers.get('ETag')).toBe(machine.etag)
})

test('If-Match is checked after existence and permission', async () => {
  const machine = await world.createMachine(owner)
  const headers = { 'If-Match': '"x"' }
  expect((await stranger.request('DELETE', pathOf(machine), { headers })).status).toBe(403)
  expect((await owner.request('DELETE', '/api/machines/999999999', { headers: { 'If-Match': '*' } })).status).toBe(404)
})

test('of many simultaneous writers with the same tag one succeeds and the others get 412', async () => {
  const machine = await world.createMachine(owner)
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, number) =>
      patch(machine, { 'If-Match': machine.etag }, { name: `Writer ${number}` }),
    ),
  )
  const statuses = answers.map(({ status }) => status).toSorted()
  expect(statuses).toEqual([200, 412, 412, 412, 412, 412, 412, 412])
  const winner = answers.find(({ status }) => status === 200)
  expect((await read(owner, machine)).body).toEqual(winner?.body)
})

test('sequential writes without a tag each give a later updated_at', async () => {
  const machine = await world.createMachine(owner)
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, number) => patch(machine, {}, { name: `Writer ${number}` })),
  )
  const byRevision = answers
    .map(({ headers, body }) => ({ revision: Number(headers.get('ETag')?.match(/\.(\d+)/)?.[1]), at: body.updated_at }))
    .toSorted((one, other) => one.revision - other.revision)
  expect(byRevision.map(({ revision }) => revision)).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
  expect(byRevision.map(({ at }) => at)).toEqual(byRevision.map(({ at }) => at).toSorted())
})

test('a write without a difference keeps tag and time, so that no If-Match fails', async () => {
  const machine = await world.createMachine(owner)
  const { name, location, status, controller_url } = machine.body
  const nothings: [string, unknown][] = [
    ['PATCH', {}],
    ['PATCH', { name }],
    ['PATCH', { status: 1, controller_url }],
    ['PATCH', machine.body],
    ['PUT', machine.body],
    ['PUT', { name, location, status, controller_url }],
  ]
  for (const [method, body] of nothings) {
    const answer = await owner.request(method, pathOf(machine), { body })
    expect([method, answer.status, answer.body]).toEqual([method, 200, machine.body])
    expect(answer.headers.get('ETag')).toBe(machine.etag)
  }
  // A write without a difference is still refused for a stranger or an old tag.
  expect((await stranger.request('PATCH', pathOf(machine), { body: {} })).status).toBe(403)
  expect((await patch(machine, { 'If-Match': '"0.0"' }, {})).status).toBe(412)
  expect((await patch(machine, { 'If-Match': machine.etag }, { controller_url: null })).status).toBe(200)
})
