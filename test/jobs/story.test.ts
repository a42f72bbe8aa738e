// The main use case from end to end: register, START, watch, STOP, read the history.
import { beforeAll, expect, test } from 'vitest'
import type { World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

test('a machine is started and stopped, and its history has both jobs', async () => {
  const owner = await world.signUpOverHttp()
  const machine = await world.createMachine(owner)

  const started = await world.operate(owner, machine.id, 'START')
  expect(started.status).toBe(202)
  expect(started.headers.get('Location')).toBe(`/api/jobs/${started.body.id}`)
  expect(started.headers.get('Retry-After')).toBe('1')
  expect(started.body).toMatchObject({
    machine_id: machine.id,
    command: 'START',
    state: 'QUEUED',
    requested_by: owner.id,
  })
  const start = await world.waitForJob(owner, started.body.id, 'SUCCEEDED')
  expect(start).toMatchObject({ result: 'SUCCESS', attempts: 1, reason: null })
  expect((await owner.request('GET', `/api/machines/${machine.id}`)).body.status).toBe('RUNNING')

  const stopped = await world.operate(owner, machine.id, 'STOP')
  await world.waitForJob(owner, stopped.body.id, 'SUCCEEDED')
  expect((await owner.request('GET', `/api/machines/${machine.id}`)).body.status).toBe('READY')

  const history = await owner.request('GET', `/api/machines/${machine.id}/history`)
  expect(history.body.items.map((job: { command: string; state: string }) => [job.command, job.state])).toEqual([
    ['STOP', 'SUCCEEDED'],
    ['START', 'SUCCEEDED'],
  ])
  expect(machine.commands().map(({ command }) => command)).toEqual(['START', 'STOP'])
})

test('the timeline of a job lists every state with its time, attempt and cause', async () => {
  const owner = await world.signUpOverHttp()
  const machine = await world.createMachine(owner)
  const { body: job } = await world.operate(owner, machine.id, 'START')
  await world.waitForJob(owner, job.id, 'SUCCEEDED')
  const { body } = await owner.request('GET', `/api/jobs/${job.id}/events`)
  expect(body.items).toMatchObject([
    { version: 1, state: 'QUEUED', attempt: null, by: owner.id },
    { version: 2, state: 'SENT', attempt: 1, by: 'queue' },
    { version: 3, state: 'SUCCEEDED', attempt: 1, by: 'controller' },
  ])
})
