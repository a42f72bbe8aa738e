// The routes on a database whose defaults for time zone, date format and others are unusual. On a real server all tests run
// like this.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, startWorld, type World } from './harness.ts'

let world: World
let staff: Person
beforeAll(async () => {
  world = await startWorld({ hasOddSettings: true })
  staff = await world.signUpStaff()
})
afterAll(() => world?.close())

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
/** Now and not nine hours ago. */
const isNow = (text: string) => Math.abs(Date.parse(text) - Date.now()) < 600_000

test('sign-up, log-in, own account and sessions show times in UTC', async () => {
  const person = await world.signUpOverHttp()
  const { username, password } = person
  const loggedIn = await world.request('POST', '/api/log-in', { body: { username, password } })
  expect([loggedIn.status, isNow(loggedIn.body.user.last_login)]).toEqual([200, true])
  expect((await person.request('GET', '/api/me')).body).toMatchObject({ date_joined: time, last_login: time })
  const changed = await person.request('PATCH', '/api/me', { body: { first_name: 'Kim' } })
  expect(changed.body).toMatchObject({ first_name: 'Kim', date_joined: time })
  const sessions = await person.request('GET', '/api/me/sessions')
  expect(sessions.body.items[0]).toMatchObject({ created_at: time, refreshed_at: time, expires_at: time })
  const refreshed = await world.request('POST', '/api/token/refresh', { body: { refresh: person.refresh } })
  expect(refreshed.status).toBe(200)
  expect((await person.request('POST', '/api/log-out')).status).toBe(204)
})

/** All items of a list, two at a time. */
async function readAll(path: string): Promise<Record<string, string>[]> {
  const { body } = await staff.request('GET', path)
  if (body.next_cursor === null) return body.items
  const url = new URL(path, world.url)
  url.searchParams.set('cursor', body.next_cursor)
  return [...body.items, ...(await readAll(`${url.pathname}${url.search}`))]
}

test('every list has its pages, in every order', async () => {
  const machines = [1, 2, 3].map(() => world.createMachine(staff))
  const ids = (await Promise.all(machines)).map(({ id }) => id)
  for (const sort of ['id', 'name', 'created_at', '-created_at', 'updated_at', '-updated_at']) {
    const all = await readAll(`/api/machines?owner_id=me&limit=2&sort=${sort}`)
    expect(all.map(({ id }) => Number(id)).sort()).toEqual(ids.toSorted())
  }
  const joined = await readAll('/api/accounts?limit=1&sort=-date_joined')
  expect(joined.map(({ date_joined }) => date_joined)).toEqual(joined.map(() => time))
})

test('machines and jobs show times in UTC, also from Redis, in a replayed answer and after the sweep', async () => {
  const machine = await world.createMachine(staff)
  expect(isNow(machine.body.created_at)).toBe(true)
  const patched = await staff.request('PATCH', `/api/machines/${machine.id}`, { body: { name: 'Other' } })
  expect(patched.body).toMatchObject({ created_at: machine.body.created_at, updated_at: time })
  const headers = { 'Idempotency-Key': crypto.randomUUID() }
  const start = () =>
    staff.request('POST', `/api/machines/${machine.id}/operation`, { body: { command: 'START' }, headers })
  const job = await start()
  expect([job.status, isNow(job.body.requested_at)]).toEqual([202, true])
  expect(Date.parse(job.body.not_after) - Date.parse(job.body.requested_at)).toBe(60_000)
  await world.waitForJob(staff, job.body.id, 'SUCCEEDED')
  expect((await start()).body.requested_at).toBe(job.body.requested_at)
  await world.sweep()
  const events = await staff.request('GET', `/api/jobs/${job.body.id}/events`)
  expect(events.body.items.every(({ at }: { at: string }) => isNow(at))).toBe(true)
  const second = new Date(Date.parse(job.body.requested_at) - 1_000).toISOString()
  const history = (query: string) => staff.request('GET', `/api/machines/${machine.id}/history?${query}`)
  expect((await history(`from=${second}`)).body.items).toMatchObject([{ id: job.body.id, requested_at: time }])
  expect((await history(`to=${second}`)).body.items).toEqual([])
})
