// Whoever may not operate a machine does not take its lock, so that nobody can delay the owner by asking.

import { beforeAll, expect, test } from 'vitest'
import { type Person, poll, type World } from '../harness.ts'
import { deliver, request } from '../jobs/qstash-calls.ts'
import { useQuietWorld } from '../shared-world.ts'

let world: World
let owner: Person
let stranger: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
  stranger = await world.signUp()
})

/** The transaction that locked or changed the row last. */
async function readLocker(machineId: number): Promise<unknown> {
  const [row] = await world.postgres.query('SELECT xmin::text, xmax::text FROM machines WHERE id = $1', [machineId])
  return row
}

test('the writes of a stranger, and of a session that has ended, lock nothing and leave no rows', async () => {
  const machine = await world.createMachine(owner)
  const job = await request(world, owner, machine.id, 'START')
  const loggedOut = await world.signUp()
  await loggedOut.request('POST', '/api/log-out')
  const path = `/api/machines/${machine.id}`
  const countRows = () => world.postgres.query('SELECT count(*) FROM jobs WHERE machine_id = $1', [machine.id])
  const before = [await readLocker(machine.id), await countRows()]
  for (const [person, status] of [
    [stranger, 403],
    [loggedOut, 401],
  ] as const) {
    const body = { name: 'Mine', location: 'Hall 1', controller_url: null }
    for (const answer of [
      await world.operate(person, machine.id, 'START'),
      await world.operate(person, machine.id, 'STOP'),
      await person.request('PATCH', path, { body: { status: 'POWEROFF' } }),
      await person.request('PUT', path, { body }),
      await person.request('DELETE', path),
      await person.request('POST', `${path}/controller/check`),
    ]) {
      expect(answer.status).toBe(status)
    }
    const canceled = await person.request('POST', `/api/jobs/${job.id}/cancel`)
    expect(canceled.status).toBe(status === 403 ? 404 : 401)
  }
  expect([await readLocker(machine.id), await countRows()]).toEqual(before)
  await world.operate(owner, machine.id, 'STOP')
  expect(await readLocker(machine.id)).not.toEqual(before[0])
})

test('a replay of somebody who has lost the role locks nothing and publishes nothing', async () => {
  const machine = await world.createMachine(owner)
  const operator = await world.signUp()
  const members = `/api/machines/${machine.id}/members`
  await owner.request('POST', members, { body: { username: operator.username, role: 'operator' } })
  const options = { body: { command: 'START' }, headers: { 'Idempotency-Key': crypto.randomUUID() } }
  const operate = () => operator.request('POST', `/api/machines/${machine.id}/operation`, options)
  const { body: job } = await operate()
  await owner.request('DELETE', `${members}/${operator.id}`)
  const before = await readLocker(machine.id)
  const messages = world.requestsTo('qstash').length
  const replayed = await operate()
  expect([replayed.status, replayed.body.id]).toEqual([202, job.id])
  await poll(async () => {
    const asked = world.requestsTo('postgres').filter(({ body }) => body.includes('redispatch-unpublished'))
    return { isDone: asked.length > 0, value: asked.length }
  }, 'the Worker to look at the job again')
  await world.settle()
  expect(await readLocker(machine.id)).toEqual(before)
  expect(world.requestsTo('qstash').length).toBe(messages)
})

test('a report that changes nothing locks nothing, because an earlier controller has its token for 24 h', async () => {
  const machine = await world.createMachine(owner)
  const job = await request(world, owner, machine.id, 'START')
  await deliver(world, job.id)
  const token = machine.commands().at(-1)?.outcome_token
  const report = async (result: string) => {
    const answer = await world.request('POST', `/api/callbacks/jobs/${job.id}/outcome`, { token, body: { result } })
    return answer.status
  }
  expect([await report('SUCCESS'), await report('REMOTEFAILED')]).toEqual([200, 409]) // the contradiction is noted
  await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { status: 'ERROR' } })
  const before = await readLocker(machine.id)
  expect([await report('SUCCESS'), await report('REMOTEFAILED')]).toEqual([200, 409])
  expect(await readLocker(machine.id)).toEqual(before)
})
