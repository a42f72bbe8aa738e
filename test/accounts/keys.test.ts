// API keys: they are made, shown once, listed and revoked, and never allow more than their account may do.
import { createHash, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { hasRealPostgres, type Person, type World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { makeKey, type TestKey } from './people.ts'

const quota = 4
let world: World
let owner: Person
beforeAll(async () => {
  world = await useWorld({ KEYS_PER_ACCOUNT: String(quota) })
  owner = await world.signUp()
})

const create = ({ request }: Pick<Person, 'request'>, body: object = {}) =>
  request('POST', '/api/keys', { body: { name: 'A program', scopes: ['read'], ...body } })
const use = ({ request }: Pick<TestKey, 'request'>) => request('GET', '/api/machines')
const expire = (id: string) => world.postgres.query('UPDATE keys SET expires_at = now() WHERE id = $1', [id])

/** Documented for secret scanners. */
async function readPattern(): Promise<RegExp> {
  const [, pattern = ''] = /`(tbk_\[0-9a-f\][^`]+)`/.exec(await readFile('SECURITY.md', 'utf8')) ?? []
  return new RegExp(`^${pattern}$`)
}

describe('a key', () => {
  test('is shown once, has the documented form, and only its hash is stored', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    const answer = await create(owner, { name: ' MES line 2 ', scopes: ['read', 'stop'], expires_at: expiresAt })
    const { key, secret } = answer.body
    expect([answer.status, answer.headers.get('Cache-Control')]).toEqual([201, 'no-store'])
    expect(key).toMatchObject({ name: 'MES line 2', scopes: ['read', 'stop'], machine_id: null, revoked_at: null })
    expect(Date.parse(key.expires_at)).toBe(Date.parse(expiresAt))
    expect(secret).toMatch(await readPattern())
    expect(secret.startsWith(`tbk_${key.id}_`)).toBe(true)
    const [row] = await world.postgres.query('SELECT to_jsonb(keys) AS row FROM keys WHERE id = $1', [key.id])
    expect(row?.row).toMatchObject({ secret_hash: createHash('sha256').update(secret).digest('hex') })
    expect(JSON.stringify(row)).not.toContain(secret.slice(-43))
    const list = await owner.request('GET', '/api/keys')
    expect(list.body.items[0]).toEqual(key)
    expect(list.text).not.toContain(secret.slice(-43))
  })

  test('acts for its account', async () => {
    const keyOwner = await world.signUp()
    const key = await makeKey(world, keyOwner)
    const body = { name: 'Machine', location: 'Hall 1' }
    const made = await key.request('POST', '/api/machines', { body })
    expect([made.status, made.body.owner_id]).toEqual([201, keyOwner.id])
    const other = await world.createMachine(owner)
    const mine = await key.request('GET', '/api/machines?owner_id=me')
    expect(mine.body.items.map(({ id }: { id: number }) => id)).toEqual([made.body.id])
    expect((await key.request('GET', `/api/machines/${other.id}`)).body.controller_url).toBeNull()
    for (const [method, path, sent] of [
      ['PATCH', `/api/machines/${other.id}`, { name: 'Mine' }],
      ['POST', `/api/machines/${other.id}/operation`, { command: 'START' }],
      ['GET', `/api/machines/${other.id}/history`, undefined],
    ] as const) {
      const answer = await key.request(method, path, sent === undefined ? {} : { body: sent })
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'not_owner'])
    }
  })

  test('loses at once what its account loses', async () => {
    const keyOwner = await world.signUpStaff()
    const machine = await world.createMachine(owner)
    const key = await makeKey(world, keyOwner)
    const rename = () => key.request('PATCH', `/api/machines/${machine.id}`, { body: { name: randomUUID() } })
    expect((await rename()).status).toBe(200)
    await world.postgres.query('UPDATE accounts SET is_staff = false WHERE id = $1', [keyOwner.id])
    expect((await rename()).body.code).toBe('not_owner')
    await world.postgres.query('UPDATE accounts SET is_active = false WHERE id = $1', [keyOwner.id])
    const disabled = await rename()
    expect([disabled.status, disabled.body.code]).toEqual([401, 'key_invalid'])
    expect(disabled.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"')
  })

  test('outlives the sessions of its account', async () => {
    const keyOwner = await world.signUp()
    const key = await makeKey(world, keyOwner)
    await keyOwner.request('POST', '/api/log-out')
    expect((await use(key)).status).toBe(200)
  })

  test('that is revoked answers 401 from the next request on, and stays in the list', async () => {
    const keyOwner = await world.signUp()
    const [key, other] = [await makeKey(world, keyOwner), await makeKey(world, keyOwner)]
    expect((await use(key)).status).toBe(200)
    const answer = await keyOwner.request('DELETE', `/api/keys/${key.id}`)
    expect([answer.status, answer.text]).toEqual([204, ''])
    for (const path of ['/api/machines', '/api/me', '/api/keys']) {
      const refused = await key.request('GET', path)
      expect([path, refused.status, refused.body.code]).toEqual([path, 401, 'key_invalid'])
    }
    expect((await use(other)).status).toBe(200)
    const { items } = (await keyOwner.request('GET', '/api/keys')).body
    expect(items.map(({ id, revoked_at }: TestKey['body']) => [id, revoked_at === null])).toEqual([
      [other.id, true],
      [key.id, false],
    ])
    expect((await keyOwner.request('DELETE', `/api/keys/${key.id}`)).body.code).toBe('not_found')
  })

  test('that has expired answers 401, and can still be revoked', async () => {
    const keyOwner = await world.signUp()
    const key = await makeKey(world, keyOwner, { expires_at: new Date(Date.now() + 60_000).toISOString() })
    expect((await use(key)).status).toBe(200)
    await expire(key.id)
    expect((await use(key)).body).toMatchObject({ status: 401, code: 'key_invalid', detail: 'The key has expired.' })
    expect((await keyOwner.request('DELETE', `/api/keys/${key.id}`)).status).toBe(204)
  })

  test('of somebody else can be neither seen nor revoked', async () => {
    const key = await makeKey(world, await world.signUp())
    expect((await owner.request('DELETE', `/api/keys/${key.id}`)).status).toBe(404)
    expect((await world.signUpStaff().then(({ request }) => request('GET', '/api/keys'))).body.items).toEqual([])
    expect((await use(key)).status).toBe(200)
  })
})

describe('a text that is no valid key is answered 401 key_invalid', () => {
  test.each<[string, (secret: string) => string]>([
    ['a wrong secret', (secret) => `${secret.slice(0, -43)}${'A'.repeat(43)}`],
    ['another last character, which decodes to the same bytes', (secret) => secret.slice(0, -1) + nextOf(secret)],
    ['an unknown id', (secret) => `tbk_0198c0de-7c1a-7000-8000-00000000dead${secret.slice(-44)}`],
    ['the id of another key', (secret) => secret.replace(/_[0-9a-f-]+_/, `_${randomUUID()}_`)],
    ['a cut key', (secret) => secret.slice(0, -1)],
    ['capitals', (secret) => secret.replace(/^tbk_[0-9a-f-]+/, (id) => `tbk_${id.slice(4).toUpperCase()}`)],
    ['only the prefix', () => 'tbk_'],
  ])('%s', async (_what, change) => {
    const key = await makeKey(world, await world.signUp())
    for (const path of ['/api/machines', '/api/me']) {
      const answer = await world.request('GET', path, { token: change(key.secret) })
      expect([answer.status, answer.body.code]).toEqual([401, 'key_invalid'])
      expect(answer.body.detail).toBe('There is no such key. A key has the form tbk_ID_SECRET.')
    }
  })

  /** The last of 43 characters has only four bits that count. */
  function nextOf(secret: string): string {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return alphabet.charAt(alphabet.indexOf(secret.slice(-1)) ^ 1)
  }

  test('a key in the query is refused and is no credential', async () => {
    const key = await makeKey(world, await world.signUp())
    expect((await world.request('GET', `/api/machines?key=${key.secret}`)).status).toBe(401)
    expect((await key.request('GET', `/api/machines?access_token=${key.secret}`)).status).toBe(422)
  })

  test('an unknown id costs the same statements and about the same time as a wrong secret', async () => {
    const key = await makeKey(world, await world.signUp())
    const wrong = `${key.secret.slice(0, -43)}${'A'.repeat(43)}`
    const unknown = wrong.replace(/_[0-9a-f-]+_/, '_0198c0de-7c1a-7000-8000-00000000dead_')
    const times: Record<string, number[]> = { [wrong]: [], [unknown]: [] }
    // The shortest times: a busy machine makes some of them longer, and none shorter. So more rounds follow until they are alike.
    const ratio = () => Math.min(...(times[unknown] ?? [])) / Math.min(...(times[wrong] ?? []))
    for (let round = 0; round < 40 || (round < 200 && Math.abs(Math.log(ratio())) > Math.log(1.25)); round += 1) {
      for (const token of [wrong, unknown]) {
        const before = world.exchanges.length
        const beganAt = performance.now()
        await world.request('GET', '/api/machines', { token })
        times[token]?.push(performance.now() - beganAt)
        expect(world.exchanges.slice(before).map(({ service }) => service)).toEqual(['postgres', 'postgres'])
      }
    }
    expect(ratio()).toBeGreaterThan(0.6)
    expect(ratio()).toBeLessThan(1.6)
  })
})

describe('a key for one machine', () => {
  test('can only be made for a machine that its account may operate', async () => {
    const foreign = await world.createMachine(owner)
    const keyOwner = await world.signUp()
    const own = await world.createMachine(keyOwner)
    expect((await create(keyOwner, { machine_id: own.id })).body.key.machine_id).toBe(own.id)
    expect((await create(keyOwner, { machine_id: foreign.id })).body).toMatchObject({ status: 403, code: 'not_owner' })
    expect((await create(keyOwner, { machine_id: 999_999_999 })).body).toMatchObject({ status: 404, code: 'not_found' })
    await keyOwner.request('DELETE', `/api/machines/${own.id}`)
    expect((await create(keyOwner, { machine_id: own.id })).status).toBe(404)
  })

  test('sees and changes no other machine, and registers none', async () => {
    const keyOwner = await world.signUp()
    const [machine, other] = [await world.createMachine(keyOwner), await world.createMachine(keyOwner)]
    const key = await makeKey(world, keyOwner, { machine_id: machine.id })
    for (const query of ['', '?owner_id=me', '?sort=-name&limit=1']) {
      const { items, next_cursor } = (await key.request('GET', `/api/machines${query}`)).body
      expect([items.map(({ id }: { id: number }) => id), next_cursor]).toEqual([[machine.id], null])
    }
    const rename = { body: { name: 'New', location: 'Hall 1' } }
    const ask = (id: number) => [
      key.request('GET', `/api/machines/${id}`),
      key.request('PATCH', `/api/machines/${id}`, rename),
      key.request('PUT', `/api/machines/${id}`, rename),
      key.request('GET', `/api/machines/${id}/history`),
      key.request('POST', `/api/machines/${id}/operation`, { body: { command: 'STOP' } }),
      key.request('POST', `/api/machines/${id}/controller/check`),
      key.request('DELETE', `/api/machines/${id}`),
    ]
    for (const answer of await Promise.all(ask(other.id))) {
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    }
    expect((await keyOwner.request('GET', `/api/machines/${other.id}`)).body).toEqual(other.body)
    expect((await key.request('GET', `/api/machines/${machine.id}`)).body).toEqual(machine.body)
    const refused = await key.request('POST', '/api/machines', rename)
    expect([refused.status, refused.body.code]).toEqual([403, 'key_not_allowed'])
  })

  test('is needed for the scope report', async () => {
    const keyOwner = await world.signUp()
    const refused = await create(keyOwner, { scopes: ['report'] })
    expect(refused.body).toMatchObject({ status: 422, errors: [{ pointer: '/machine_id' }] })
    const machine = await world.createMachine(keyOwner)
    expect((await create(keyOwner, { scopes: ['report'], machine_id: machine.id })).status).toBe(201)
  })
})

describe('a key for one site', () => {
  test('sees and changes only the machines of the site, registers machines there, and creates no sites', async () => {
    const keyOwner = await world.signUp()
    const makeSite = async () => (await keyOwner.request('POST', '/api/sites', { body: { name: 'Line' } })).body
    const [site, other] = [await makeSite(), await makeSite()]
    const inside = await world.createMachine(keyOwner, { site_id: site.id })
    const outside = [await world.createMachine(keyOwner), await world.createMachine(keyOwner, { site_id: other.id })]
    const key = await makeKey(world, keyOwner, { site_id: site.id })
    expect([key.body.site_id, key.body.machine_id]).toEqual([site.id, null])
    const idsAt = async (path: string) =>
      (await key.request('GET', path)).body.items.map(({ id }: { id: number }) => id)
    expect(await idsAt('/api/machines')).toEqual([inside.id])
    expect(await idsAt('/api/machines?owner_id=me')).toEqual([inside.id])
    expect(await idsAt('/api/sites')).toEqual([site.id])
    expect((await key.request('GET', `/api/sites/${other.id}`)).status).toBe(404)
    for (const { id } of outside) {
      expect((await key.request('GET', `/api/machines/${id}`)).status).toBe(404)
      const stop = await key.request('POST', `/api/machines/${id}/operation`, { body: { command: 'STOP' } })
      expect(stop.status).toBe(404)
    }
    const body = { name: 'New', location: 'Hall 1' }
    expect((await key.request('PATCH', `/api/machines/${inside.id}`, { body })).status).toBe(200)
    const there = await key.request('POST', '/api/machines', { body: { ...body, site_id: site.id } })
    expect([there.status, there.body.site_id]).toEqual([201, site.id])
    expect((await key.request('POST', '/api/machines', { body })).body.code).toBe('key_not_allowed')
    expect((await key.request('POST', '/api/sites', { body: { name: 'x' } })).body.code).toBe('key_not_allowed')
  })

  test('finds its site among many, however short the page', async () => {
    for (const keyOwner of [await world.signUp(), await world.signUpStaff()]) {
      const makeSite = async () => (await keyOwner.request('POST', '/api/sites', { body: { name: 'Line' } })).body
      const sites = [await makeSite(), await makeSite(), await makeSite()]
      const key = await makeKey(world, keyOwner, { site_id: sites[1].id })
      for (const query of ['limit=1', 'limit=1&sort=-id', 'limit=1&sort=name'])
        expect((await key.request('GET', `/api/sites?${query}`)).body).toEqual({ items: [sites[1]], next_cursor: null })
    }
  })

  test('moves no machine out of its site', async () => {
    const keyOwner = await world.signUp()
    const makeSite = async () => (await keyOwner.request('POST', '/api/sites', { body: { name: 'Line' } })).body
    const [site, other] = [await makeSite(), await makeSite()]
    const machine = await world.createMachine(keyOwner, { site_id: site.id })
    const key = await makeKey(world, keyOwner, { site_id: site.id })
    const move = (site_id: number | null) =>
      key.request('PATCH', `/api/machines/${machine.id}`, { body: { site_id, name: 'Moved' } })
    const out = await move(null)
    expect([out.status, out.body.code]).toEqual([403, 'key_not_allowed'])
    expect((await move(other.id)).body.code).toBe('no_such_site')
    expect((await keyOwner.request('GET', `/api/machines/${machine.id}`)).body).toEqual(machine.body)
    expect((await move(site.id)).body).toMatchObject({ name: 'Moved', site_id: site.id })
  })

  test('can only be made with a role on the site, and for the scope report only by a manager', async () => {
    const [manager, viewer] = [await world.signUp(), await world.signUp()]
    const { body: site } = await manager.request('POST', '/api/sites', { body: { name: 'Line' } })
    expect((await create(viewer, { site_id: site.id })).status).toBe(404)
    await manager.request('POST', `/api/sites/${site.id}/members`, {
      body: { username: viewer.username, role: 'viewer' },
    })
    expect((await create(viewer, { site_id: site.id })).status).toBe(201)
    expect((await create(viewer, { scopes: ['report'], site_id: site.id })).body.code).toBe('role_too_low')
    expect((await create(manager, { scopes: ['report'], site_id: site.id })).status).toBe(201)
    const machine = await world.createMachine(manager)
    const both = await create(manager, { site_id: site.id, machine_id: machine.id })
    expect(both.body).toMatchObject({ status: 422, errors: [{ pointer: '/site_id' }] })
  })

  test('is not remembered in Redis, which does not know the site of a machine', async () => {
    const keyOwner = await world.signUp()
    const { body: site } = await keyOwner.request('POST', '/api/sites', { body: { name: 'Line' } })
    const machine = await world.createMachine(keyOwner, { site_id: site.id })
    const { body: job } = await world.operate(keyOwner, machine.id, 'STOP')
    const key = await makeKey(world, keyOwner, { site_id: site.id })
    expect((await key.request('GET', `/api/jobs/${job.id}`)).status).toBe(200)
    await world.settle()
    expect(await world.redis.command('GET', `key:${key.id}`)).toBeNull()
    await keyOwner.request('PATCH', `/api/machines/${machine.id}`, { body: { site_id: null } })
    expect((await key.request('GET', `/api/jobs/${job.id}`)).status).toBe(404)
  })
})

describe('the quota', () => {
  test('counts valid keys only', async () => {
    const keyOwner = await world.signUp()
    const keys = []
    for (let count = 0; count < quota; count += 1) keys.push(await makeKey(world, keyOwner))
    const refused = await create(keyOwner)
    expect([refused.status, refused.body.code]).toEqual([409, 'quota_exceeded'])
    expect(refused.body.detail).toContain(String(quota))
    await keyOwner.request('DELETE', `/api/keys/${keys[0]?.id}`)
    expect((await create(keyOwner)).status).toBe(201)
    expect((await create(keyOwner)).status).toBe(409)
    await expire(keys[1]?.id ?? '')
    expect((await create(keyOwner)).status).toBe(201)
  })

  test.runIf(hasRealPostgres)('is not exceeded by keys that are made at the same time', async () => {
    const keyOwner = await world.signUp()
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(keyOwner)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(quota)
  })
})

test('the list has pages, newest first', async () => {
  const keyOwner = await world.signUp()
  const made = []
  for (let count = 0; count < 3; count += 1) made.push((await makeKey(world, keyOwner, { name: `key ${count}` })).id)
  const first = await keyOwner.request('GET', '/api/keys?limit=2')
  const second = await keyOwner.request('GET', `/api/keys?limit=2&cursor=${first.body.next_cursor}`)
  const ids = [...first.body.items, ...second.body.items].map(({ id }) => id)
  expect(ids).toEqual(made.toReversed())
  expect(second.body.next_cursor).toBeNull()
})

test.each<[string, object, string]>([
  ['no name', { name: undefined }, '/name'],
  ['a name that is too long', { name: 'x'.repeat(65) }, '/name'],
  ['no scope', { scopes: [] }, '/scopes'],
  ['an unknown scope', { scopes: ['read', 'everything'] }, '/scopes/1'],
  ['a scope twice', { scopes: ['read', 'read'] }, '/scopes'],
  ['a time in the past', { expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
  ['no time', { expires_at: 'tomorrow' }, '/expires_at'],
  ['a machine that is no id', { machine_id: '7' }, '/machine_id'],
  ['a secret of its own', { secret: 'x' }, '/secret'],
])('%s is refused, and nothing is made', async (_what, body, pointer) => {
  const keyOwner = await world.signUp()
  const answer = await create(keyOwner, body)
  expect(answer.body).toMatchObject({ status: 422, errors: [{ pointer }] })
  expect((await keyOwner.request('GET', '/api/keys')).body.items).toEqual([])
})

test('a secret is in no log line, error or idempotency row', async () => {
  const keyOwner = await world.signUp()
  const answer = await keyOwner.request('POST', '/api/keys', {
    body: { name: 'A program', scopes: ['read'] },
    headers: { 'Idempotency-Key': randomUUID() },
  })
  const { key, secret } = answer.body
  const machine = { name: 'Machine', location: 'Hall 1' }
  const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`
  const answers = [
    await world.request('GET', '/api/machines', { token: secret }),
    await world.request('POST', '/api/machines', { token: secret, body: machine }),
    await world.request('GET', '/api/me', { token: secret }),
    await world.request('GET', '/api/machines', { token: wrong }),
    await world.request('GET', '/api/machines', { token: `${secret}x` }),
    // A mistake of a client: the secret in place of the id.
    await keyOwner.request('DELETE', `/api/keys/${secret}`),
    await world.request('GET', `/api/${secret}`),
  ]
  await world.settle()
  for (const each of answers) expect(each.text).not.toContain(secret.slice(-43, -1))
  const lines = JSON.stringify(world.logs())
  expect(lines).toContain(key.id)
  expect(lines).not.toContain(secret.slice(-43, -1))
  expect(lines).not.toContain(createHash('sha256').update(secret).digest('hex'))
  const rows = await world.postgres.query('SELECT to_jsonb(i) AS row FROM idempotency_keys i')
  expect(JSON.stringify(rows)).not.toContain(secret.slice(-43))
})
