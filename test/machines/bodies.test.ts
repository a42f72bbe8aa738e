// The accepted and refused members in the body of a machine.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { insideUrls, outsideUrls } from './controller-urls.ts'

let world: World
let owner: Person
let path: string
beforeAll(async () => {
  world = await useWorld({ ALLOW_PRIVATE_CONTROLLERS: 'false' })
  owner = await world.signUp()
  path =
    (await owner.request('POST', '/api/machines', { body: { name: 'a', location: 'b' } })).headers.get('Location') ?? ''
})

/** The requests with a body: POST and PUT with a complete body and this change, PATCH with only the change. */
function requestsWith(change: Record<string, unknown>): [method: string, path: string, body: unknown][] {
  const whole = { name: 'Machine', location: 'Hall 1', ...change }
  return [
    ['POST', '/api/machines', whole],
    ['PUT', path, whole],
    ['PATCH', path, change],
  ]
}

const factory = '🏭' // two UTF-16 units, one character

const accepted: [string, unknown][] = [
  ['name', 'x'],
  ['name', 'x'.repeat(64)],
  ['name', factory.repeat(64)],
  ['name', 'with  spaces inside'],
  ['name', `Robert'); DROP TABLE machines;--`],
  ['name', '\u0001\t\n"\\%_'],
  ['location', 'x'],
  ['location', 'x'.repeat(256)],
  ['location', factory.repeat(256)],
  ['controller_url', null],
  ['controller_url', 'https://controller.example.com/1'],
  ['controller_url', `https://example.com/${'x'.repeat(2028)}`],
  ['status', '3'],
]

describe.each(accepted)('%s %j', (member, value) => {
  test('is accepted and returned unchanged', async () => {
    for (const [method, to, body] of requestsWith({ [member]: value })) {
      const answer = await owner.request(method, to, { body })
      expect([method, answer.status]).toEqual([method, method === 'POST' ? 201 : 200])
      expect(answer.body[member]).toBe(member === 'status' ? 'PENDING' : value)
      const read = await owner.request('GET', `/api/machines/${answer.body.id}`)
      expect(read.body[member]).toBe(answer.body[member])
    }
  })
})

const refused: [string, unknown][] = [
  ['name', ''],
  ['name', '   '],
  ['name', 'x'.repeat(65)],
  ['name', factory.repeat(65)],
  ['name', 7],
  ['name', true],
  ['name', ['x']],
  ['name', { toString: 'x' }],
  ['name', 'nul\0'],
  ['location', ''],
  ['location', 'x'.repeat(257)],
  ['location', 'nul\0'],
  ['status', 5],
  ['status', -1],
  ['status', 1.5],
  ['status', 1e300],
  ['status', 'ready'],
  ['status', 'STOPPED'],
  ['status', ''],
  ['status', true],
  ['status', []],
  ['status', 'length'],
  ['controller_url', ''],
  ['controller_url', 'not a url'],
  ['controller_url', 'javascript:alert(1)'],
  ['controller_url', 'ftp://example.com/'],
  ['controller_url', 'https://user:secret@example.com/'],
  ['controller_url', 'https://example.com/#x'],
  ['controller_url', `https://example.com/${'x'.repeat(2029)}`],
  ['controller_url', 'https://example.com/nul\0'],
  ['controller_url', 7],
  ['controller_url', 'http://127.0.0.1/'],
  ['controller_url', 'http://2130706433/'],
  ['controller_url', 'http://0177.0.0.1/'],
  ['controller_url', 'http://0x7f.1/'],
  ['controller_url', 'http://127.1/'],
  ['controller_url', 'http://[::1]/'],
  ['controller_url', 'http://[::127.0.0.1]/'],
  ['controller_url', 'http://[::ffff:10.0.0.1]/'],
  ['controller_url', 'http://[fd00:ec2::254]/'],
  ['controller_url', 'http://[fe80::1]/'],
  ['controller_url', 'http://169.254.169.254/'],
  ['controller_url', 'http://192.0.2.1/'],
  ['controller_url', 'http://localhost./'],
  ['controller_url', 'http://press.local/'],
  ['controller_url', 'http://db.internal/'],
  ['controller_url', 'https://93.184.216.34/'],
  ['controller_url', 'https://press.lan/'],
  ['controller_url', 'https://press/'],
]

describe.each(refused)('%s %j', (member, value) => {
  test('is answered 422 with a pointer, and nothing is stored', async () => {
    const before = await owner.request('GET', path)
    for (const [method, to, body] of requestsWith({ [member]: value })) {
      const answer = await owner.request(method, to, { body })
      expect([method, answer.status, answer.body.code]).toEqual([method, 422, 'validation_failed'])
      for (const { pointer, detail } of answer.body.errors)
        expect([pointer, detail]).toEqual([`/${member}`, expect.stringMatching(/./)])
    }
    const after = await owner.request('GET', path)
    expect(after.headers.get('ETag')).toBe(before.headers.get('ETag'))
  })
})

test.each(['name', 'location', 'controller_url'])(
  'a lone surrogate in %s is answered 422 with a pointer',
  async (member) => {
    for (const [method, to, body] of requestsWith({ [member]: 'SURROGATE' })) {
      const text = JSON.stringify(body).replace('SURROGATE', 'https://example.com/\\ud800')
      const answer = await owner.request(method, to, { body: text })
      expect([method, answer.status]).toEqual([method, 422])
      expect(answer.body.errors[0]).toMatchObject({ pointer: `/${member}` })
    }
  },
)

test('all invalid members are reported in one answer', async () => {
  const answer = await owner.request('POST', '/api/machines', { body: { name: '', status: 9, controller_url: 1 } })
  const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)
  expect(new Set(pointers)).toEqual(new Set(['/name', '/location', '/status', '/controller_url']))
})

test.each(['', ' ', '{', '{"name":"a",}', "{'name':'a'}", '{"name":"a"}{}', 'name=a', 'NaN', '\u00ef\u00bb'])(
  'the body %j is answered 400',
  async (text) => {
    const answer = await owner.request('POST', '/api/machines', { body: text })
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json'])
  },
)

test('bytes that are not UTF-8 are answered 400', async () => {
  const bytes = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff]), Buffer.from('","location":"b"}')])
  expect((await owner.request('POST', '/api/machines', { body: new Uint8Array(bytes) })).status).toBe(400)
})

test('members named like properties of Object.prototype are unknown members and are refused', async () => {
  const text =
    '{"name":"a","location":"b","__proto__":{"status":"ERROR","owner_id":1},"constructor":{"x":1},"toString":1}'
  const answer = await owner.request('POST', '/api/machines', { body: text })
  expect(answer.status).toBe(422)
  expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
    '/__proto__',
    '/constructor',
    '/toString',
  ])
})

test('a misspelt member is refused and named, and nothing is stored', async () => {
  const before = await owner.request('GET', path)
  for (const [method, to, body] of requestsWith({ locaton: 'Hall 2' })) {
    const answer = await owner.request(method, to, { body })
    expect([method, answer.status]).toEqual([method, 422])
    expect(answer.body.errors).toEqual([{ pointer: '/locaton', detail: 'is not a member of this body' }])
  }
  expect((await owner.request('GET', path)).headers.get('ETag')).toBe(before.headers.get('ETag'))
})

test('a machine that was read can be changed and sent back completely', async () => {
  const { body: read } = await owner.request('GET', path)
  const answer = await owner.request('PUT', path, { body: { ...read, location: 'Hall 9' } })
  expect([answer.status, answer.body.location, answer.body.owner_id]).toEqual([200, 'Hall 9', owner.id])
  expect(answer.body.updated_at > read.updated_at).toBe(true)
  const other = await owner.request('PATCH', path, { body: { id: 1, owner_id: 1, created_at: 'long ago' } })
  expect(other.body).toEqual(answer.body)
})

test('members that are set only through __proto__ are missing', async () => {
  const answer = await owner.request('POST', '/api/machines', { body: '{"__proto__":{"name":"a","location":"b"}}' })
  expect(answer.status).toBe(422)
})

test('the last value of a duplicate member is used', async () => {
  const answer = await owner.request('POST', '/api/machines', { body: '{"name":"a","location":"b","name":"c"}' })
  expect(answer.body.name).toBe('c')
})

test('deeply nested members are answered', async () => {
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
  const answer = await owner.request('POST', '/api/machines', { body: `{"name":"a","location":"b","id":${deep}}` })
  expect(answer.status).toBe(201)
  expect((await owner.request('POST', '/api/machines', { body: deep })).status).toBe(422)
})

test("the Worker's URL parser recognizes every spelling of an internal host", async () => {
  const statuses = async (urls: string[]) => {
    const answers: [string, number][] = []
    for (const url of urls) {
      answers.push([url, (await owner.request('PATCH', path, { body: { controller_url: url } })).status])
    }
    return answers
  }
  expect(await statuses(insideUrls)).toEqual(insideUrls.map((url) => [url, 422]))
  expect(await statuses(outsideUrls)).toEqual(outsideUrls.map((url) => [url, 200]))
})
