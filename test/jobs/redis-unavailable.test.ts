// Redis holds copies only: without it everything still works.
import { beforeAll, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import type { BehaviourOrder } from '../platform/controller/behaviour.ts'
import { shut } from '../platform/faults.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, readRow, request, rewind } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

async function queue(behaviour: BehaviourOrder = { mode: 'obey' }) {
  const machine = await world.createMachine(owner)
  machine.behave(behaviour)
  return { machine, job: await request(world, owner, machine.id, 'START') }
}

const readStatus = (person: Person, jobId: string) => person.request('GET', `/api/jobs/${jobId}`)

test('without Redis everything still works', async () => {
  world.faults.redis.pass = shut
  const { machine, job } = await queue({ mode: 'fail', status: 200, body: { result: 'PENDING' }, only: 'START' })
  expect((await readStatus(owner, job.id)).body.state).toBe('QUEUED')
  expect((await deliver(world, job.id)).status).toBe(200)
  expect((await readStatus(owner, job.id)).body.state).toBe('PENDING')
  const token = machine.commands()[0]?.outcome_token
  const report = { token, body: { result: 'SUCCESS' } }
  expect((await world.request('POST', `/api/callbacks/jobs/${job.id}/outcome`, report)).status).toBe(200)
  const stop = await request(world, owner, machine.id, 'STOP')
  expect((await owner.request('POST', `/api/jobs/${stop.id}/cancel`)).status).toBe(200)
  const late = await request(world, owner, machine.id, 'STOP')
  await rewind(world, late.id, 'not_after', '0 seconds')
  await world.sweep()
  expect(await readRow(world, late.id)).toMatchObject({ state: 'EXPIRED' })
  expect((await readStatus(owner, stop.id)).body.state).toBe('CANCELED')
})

test('a call to a Redis that hangs is aborted after 300 ms', async () => {
  const { job } = await queue()
  const { promise, resolve } = Promise.withResolvers<void>()
  world.faults.redis.pass = async () => {
    await promise
    return { cut: true }
  }
  const beganAt = performance.now()
  expect((await readStatus(owner, job.id)).status).toBe(200)
  expect(performance.now() - beganAt).toBeLessThan(2_000)
  resolve()
})
