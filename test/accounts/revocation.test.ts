// Ending a session or a right takes effect immediately, also for the job status that Redis alone answers.
import { beforeAll, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { type SignedIn, signIn, watchedJob } from './people.ts'

let world: World
let staff: Person
beforeAll(async () => {
  world = await useWorld()
  staff = await world.signUpStaff()
})

type End = (session: SignedIn, owner: Person) => Promise<{ status: number }>
const refresh = (token: string) => world.request('POST', '/api/token/refresh', { body: { refresh: token } })

const ends: [string, number, End][] = [
  ['a log-out', 204, (session) => session.request('POST', '/api/log-out')],
  ['DELETE of this session', 204, (session) => session.request('DELETE', `/api/me/sessions/${session.sessionId}`)],
  [
    'DELETE from another session',
    204,
    (session, owner) => owner.request('DELETE', `/api/me/sessions/${session.sessionId}`),
  ],
  [
    'a change of the password elsewhere',
    204,
    (_session, owner) =>
      owner.request('POST', '/api/me/password', {
        body: { current_password: owner.password, new_password: 'a bolster and a platen' },
      }),
  ],
  [
    'disabling the account',
    200,
    (_session, owner) => staff.request('PATCH', `/api/accounts/${owner.id}`, { body: { is_active: false } }),
  ],
  [
    'an old refresh token',
    401,
    async (session) => {
      // The token before the last one is accepted for some seconds; the one before that is not.
      const { body } = await refresh(session.refresh)
      await refresh(body.token.refresh)
      return refresh(session.refresh)
    },
  ],
]

test.each(ends)('after %s even the status of a job is refused', async (_what, status, end) => {
  const owner = await world.signUp()
  const session = await signIn(world, owner)
  const jobId = await watchedJob(world, owner, session)
  expect((await end(session, owner)).status).toBe(status)
  for (const _again of [1, 2]) {
    const answer = await session.request('GET', `/api/jobs/${jobId}`)
    expect([answer.status, answer.body.code]).toEqual([401, 'session_ended'])
  }
})

test('a lost staff right hides the jobs of others with the next request', async () => {
  const owner = await world.signUp()
  const jobId = await watchedJob(world, owner)
  const helper = await world.signUpStaff()
  for (const _again of [1, 2]) expect((await helper.request('GET', `/api/jobs/${jobId}`)).status).toBe(200)
  await staff.request('PATCH', `/api/accounts/${helper.id}`, { body: { is_staff: false } })
  expect((await helper.request('GET', `/api/jobs/${jobId}`)).body.code).toBe('not_found')
  expect((await owner.request('GET', `/api/jobs/${jobId}`)).status).toBe(200)
})

test('another session of the same account stays valid', async () => {
  const owner = await world.signUp()
  const session = await signIn(world, owner)
  const jobId = await watchedJob(world, owner, session)
  await session.request('POST', '/api/log-out')
  expect((await owner.request('GET', `/api/jobs/${jobId}`)).status).toBe(200)
})
