// The board: the machines of a page with their reports, holds and open jobs, in one statement.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, TestMachine, World } from '../harness.ts'
import { request } from '../jobs/qstash-calls.ts'
import { reporterOf } from '../jobs/reporting.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createMachineIn, createSite, grant, type Site } from '../sites/places.ts'

let world: World
let owner: Person
let viewer: Person
let stranger: Person
let site: Site
beforeAll(async () => {
  world = await useQuietWorld()
  ;[owner, viewer, stranger] = await Promise.all([world.signUp(), world.signUp(), world.signUp()])
  site = await createSite(owner)
  await grant(owner, `/api/sites/${site.id}`, viewer, 'viewer')
})

const boardOf = (person: Person, query = `?site_id=${site.id}`, etag?: string) =>
  person.request('GET', `/api/board${query}`, etag === undefined ? {} : { headers: { 'If-None-Match': etag } })
const find = async (person: Person, { id }: { id: number }, query?: string) =>
  (await boardOf(person, query)).body.items.find((item: { id: number }) => item.id === id)

test('an item is the machine as the list shows it, its revision, its holds and its open job', async () => {
  const machine = await createMachineIn(world, site, owner)
  const reporter = await reporterOf(world, owner, machine.id)
  await reporter.report({ status: 'READY', cycles: 7 })
  const quiet = await find(viewer, machine)
  const { body: listed } = await viewer.request('GET', `/api/machines?site_id=${site.id}&sort=-id&limit=1`)
  expect(quiet).toEqual({ ...listed.items[0], revision: expect.any(Number), holds: [], open_job: null })
  expect(quiet.reported).toMatchObject({ cycles: 7, is_fresh: true })

  const job = await request(world, owner, machine.id, 'START')
  const { body: read } = await owner.request('GET', `/api/jobs/${job.id}`)
  expect((await find(viewer, machine)).open_job).toEqual(read)
  await owner.request('POST', `/api/jobs/${job.id}/cancel`)
  const { body: hold } = await owner.request('POST', `/api/machines/${machine.id}/holds`, { body: { reason: '점검' } })
  expect(await find(viewer, machine)).toMatchObject({ holds: [hold], open_job: null })
})

describe('who sees what', () => {
  let outside: TestMachine
  beforeAll(async () => {
    outside = await world.createMachine(owner)
    await request(world, owner, outside.id, 'STOP') // a hold would supersede a START
    await owner.request('POST', `/api/machines/${outside.id}/holds`, { body: { reason: 'x' } })
  })

  test('somebody without a role sees a machine without a site, and neither its jobs nor its holds', async () => {
    const query = `?owner_id=${owner.id}`
    const seen = await find(stranger, outside, query)
    expect(seen).toMatchObject({ my_role: null, holds: null, open_job: null, controller_url: null })
    const own = await find(owner, outside, query)
    expect(own).toMatchObject({ my_role: 'manager', open_job: { machine_id: outside.id } })
    expect(own.controller_url).toBe(outside.url)
  })

  test('nobody sees a machine of a site in which she has no role', async () => {
    await createMachineIn(world, site, owner)
    expect((await boardOf(stranger)).body.items).toEqual([])
  })
})

describe('the ETag', () => {
  test('changes with a report, a job and a hold, and with nothing else', async () => {
    const other = await createSite(owner)
    const machine = await createMachineIn(world, other, owner)
    const reporter = await reporterOf(world, owner, machine.id)
    const query = `?site_id=${other.id}`
    const etags = new Set<string | null>()
    const read = async () => {
      const { status, headers } = await boardOf(owner, query)
      expect(status).toBe(200)
      const etag = headers.get('ETag')
      expect(etags).not.toContain(etag)
      etags.add(etag)
      const again = await boardOf(owner, query, etag ?? '')
      expect([again.status, again.text, again.headers.get('ETag')]).toEqual([304, '', etag])
    }
    await read()
    await reporter.report({ cycles: 1 })
    await read()
    await reporter.report({ cycles: 2 })
    await read()
    const { body: hold } = await owner.request('POST', `/api/machines/${machine.id}/holds`, { body: { reason: 'x' } })
    await read()
    await owner.request('DELETE', `/api/machines/${machine.id}/holds/${hold.id}`)
    expect((await boardOf(owner, query)).status).toBe(200)
    await request(world, owner, machine.id, 'STOP')
    await read()
  })
})

test('pages follow each other by cursor and Link, and filters are those of the list', async () => {
  const other = await createSite(owner)
  const machines = [await createMachineIn(world, other, owner), await createMachineIn(world, other, owner)]
  const first = await boardOf(owner, `?site_id=${other.id}&limit=1&sort=-id`)
  expect(first.body.items.map(({ id }: { id: number }) => id)).toEqual([machines[1]?.id])
  const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('Link') ?? '')?.[1] ?? ''
  const { body } = await owner.request('GET', next)
  expect([body.items.map(({ id }: { id: number }) => id), body.next_cursor]).toEqual([[machines[0]?.id], null])
  expect((await boardOf(owner, `?site_id=${other.id}&status=ERROR`)).body.items).toEqual([])
  expect((await boardOf(owner, '?limit=101')).status).toBe(422)
})
