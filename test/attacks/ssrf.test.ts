// The Worker sends requests to a controller_url, which must be a public name. This file tests the real Worker;
// test/machines/controller-url.test.ts has a table of all spellings.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { deliver, readRow, request } from '../jobs/qstash-calls.ts'
import { type StandInServer, startHttpServer } from '../platform/http.ts'
import { useQuietWorld } from '../shared-world.ts'

let world: World
let person: Person
beforeAll(async () => {
  world = await useQuietWorld({ ALLOW_PRIVATE_CONTROLLERS: '' })
  person = await world.signUp()
})

const internalUrls: [string, string][] = [
  ['loopback', 'http://127.0.0.1/'],
  ['loopback in decimal', 'http://2130706433/'],
  ['loopback in octal', 'http://0177.0.0.01/'],
  ['loopback in hex', 'http://0x7f000001/'],
  ['loopback in two parts', 'http://127.1/'],
  ['loopback in full width', 'http://１２７.０.０.１/'],
  ['loopback with a trailing dot', 'http://127.0.0.1./'],
  ['IPv6 loopback', 'http://[::1]/'],
  ['IPv4 mapped into IPv6', 'http://[::ffff:127.0.0.1]/'],
  ['IPv4 mapped into IPv6 in hex', 'http://[::ffff:7f00:1]/'],
  ['IPv4 compatible IPv6', 'http://[::127.0.0.1]/'],
  ['NAT64', 'http://[64:ff9b::7f00:1]/'],
  ['6to4', 'http://[2002:7f00:1::]/'],
  ['this host', 'http://0.0.0.0/'],
  ['a private network', 'http://10.1.2.3/'],
  ['another private network', 'http://192.168.0.1/'],
  ['carrier-grade NAT', 'http://100.64.0.1/'],
  ['cloud metadata', 'http://169.254.169.254/latest/meta-data/'],
  ['cloud metadata over IPv6', 'http://[fd00:ec2::254]/'],
  ['link-local', 'http://[fe80::1]/'],
  ['documentation', 'http://203.0.113.1/'],
  ['multicast', 'http://224.0.0.1/'],
  ['broadcast', 'http://255.255.255.255/'],
  ['localhost', 'http://localhost/'],
  ['localhost with a trailing dot', 'http://localhost./'],
  ['a name below localhost', 'http://db.localhost/'],
  ['mDNS', 'http://press.local/'],
  ['an internal name', 'http://metadata.google.internal/'],
  ['an internal name in capitals', 'http://METADATA.GOOGLE.INTERNAL/'],
  ['a single label', 'http://database/'],
  ['a local network', 'http://press.lan/'],
  ['a home network', 'http://router.home.arpa/'],
  ['a Kubernetes service', 'http://api.default.svc/'],
  ['a public address, which a Worker cannot call', 'https://93.184.216.34/'],
  ['user information that looks like a host', 'http://example.com@127.0.0.1/'],
  ['a backslash', 'http:\\\\127.0.0.1\\'],
  ['another scheme', 'file:///etc/passwd'],
  ['a percent-encoded host', 'http://%31%32%37.0.0.1/'],
]

describe('a controller_url of', () => {
  test.each(internalUrls)('%s is answered 422, when a machine is created and when it is changed', async (_, url) => {
    const made = await person.request('POST', '/api/machines', {
      body: { name: 'n', location: 'l', controller_url: url },
    })
    expect([made.status, made.body.errors?.[0]?.pointer]).toEqual([422, '/controller_url'])
    const { body } = await person.request('POST', '/api/machines', { body: { name: 'n', location: 'l' } })
    const changed = await person.request('PATCH', `/api/machines/${body.id}`, { body: { controller_url: url } })
    expect(changed.status).toBe(422)
  })
})

describe('a redirect of a controller', () => {
  let inside: StandInServer
  const reached: string[] = []
  beforeAll(async () => {
    inside = await startHttpServer('inside', async ({ target }) => {
      reached.push(target)
      return { body: { result: 'SUCCESS' } }
    })
    // From here on loopback is allowed, so that only the redirect is tested.
    await world.reconfigure({ ALLOW_PRIVATE_CONTROLLERS: 'true' })
  })
  afterAll(() => inside?.close())

  test.each([301, 302, 303, 307, 308] as const)('by %i is not followed: the job has FAILED', async (status) => {
    const machine = await world.createMachine(person)
    machine.behave({ mode: 'redirect', status, location: `${inside.url}/secret` })
    const job = await request(world, person, machine.id, 'START')
    expect((await deliver(world, job.id)).status).toBe(200)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', reason: 'bad_answer' })
    expect(reached).toEqual([])
  })
})

test('a URL that was stored when it was allowed is checked again before anything is sent', async () => {
  await world.reconfigure({ ALLOW_PRIVATE_CONTROLLERS: 'true' })
  const confirmed = await world.createMachine(person)
  const unconfirmed = await world.createUnconfirmedMachine(person)
  await world.reconfigure({ ALLOW_PRIVATE_CONTROLLERS: '' })
  const before = world.requestsTo('controller').length
  for (const machine of [confirmed, unconfirmed]) {
    for (const command of ['START', 'STOP'] as const) {
      const job = await request(world, person, machine.id, command)
      expect((await deliver(world, job.id)).status).toBe(200)
      const detail = expect.stringContaining('must not have an IP address as its host')
      expect(await readRow(world, job.id)).toMatchObject({ state: 'REJECTED', reason: 'controller_refused', detail })
    }
    expect(await person.request('POST', `/api/machines/${machine.id}/controller/check`)).toMatchObject({
      status: 409,
      body: { code: 'controller_refused', detail: expect.stringContaining('IP address') },
    })
  }
  expect(world.requestsTo('controller')).toHaveLength(before)
})
