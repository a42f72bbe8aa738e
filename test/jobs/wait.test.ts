// A report whose answer is held until there is a command.
import { connect, type Socket } from 'node:net'
import { beforeAll, expect, test } from 'vitest'
import { type Person, poll, type World } from '../harness.ts'
import { open, shut } from '../platform/faults.ts'
import { useQuietWorld } from '../shared-world.ts'
import { readRow, request } from './qstash-calls.ts'
import { aPullMachine, type Reporter } from './reporting.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

/** Waits until somebody listens for commands of this machine. */
const isHeld = (machineId: number) =>
  poll(async () => {
    const targets = world.requestsTo('redis').map(({ target }) => target)
    return { isDone: targets.includes(`/subscribe/commands:${machineId}`), value: targets }
  }, 'the answer to be held')

test.each(['START', 'STOP'] as const)('gets a %s at once', async (command) => {
  const machine = await aPullMachine(world, owner)
  await machine.report()
  const held = machine.report({}, '?wait=25')
  await isHeld(machine.id)
  const startedAt = Date.now()
  const job = await request(world, owner, machine.id, command)
  expect(await held).toMatchObject({ report_again_in_seconds: 2, command: { command, job_id: job.id, attempt: 1 } })
  expect(Date.now() - startedAt).toBeLessThan(2_000)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'SENT' })
})

test('is answered without a command when the time is over', async () => {
  const machine = await aPullMachine(world, owner)
  await machine.report()
  const startedAt = Date.now()
  // The second counts, so that a machine which obeys never becomes stale.
  expect(await machine.report({}, '?wait=1')).toMatchObject({ report_again_in_seconds: 9, command: null })
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(990)
})

test('gets a command that was there before at once', async () => {
  const machine = await aPullMachine(world, owner)
  await machine.report()
  const job = await request(world, owner, machine.id, 'START')
  expect((await machine.report({}, '?wait=25')).command).toMatchObject({ job_id: job.id })
})

test('is answered at once while a job is open that is not handed out: the machine comes back sooner', async () => {
  const machine = await aPullMachine(world, owner)
  await machine.report()
  await request(world, owner, machine.id, 'START')
  await machine.report()
  expect(await machine.report({}, '?wait=25')).toMatchObject({ report_again_in_seconds: 2, command: null })
})

test('is answered at once without Redis', async () => {
  const machine = await aPullMachine(world, owner)
  await machine.report()
  const { faults } = world
  faults.redis.pass = shut
  try {
    expect(await machine.report({}, '?wait=25')).toMatchObject({ report_again_in_seconds: 10, command: null })
  } finally {
    faults.redis.pass = open
  }
})

/**
 * A client whose connection can break while its answer is held. It must break with a reset: outside Cloudflare, workerd
 * does not see that a connection was merely closed until it writes to it.
 */
function holdReport(machine: Reporter): Socket {
  const body = JSON.stringify(machine.next())
  const { hostname, port } = new URL(world.url)
  const socket = connect(Number(port), hostname)
  socket.write(
    [
      `POST /api/machines/${machine.id}/reports?wait=25 HTTP/1.1`,
      `Host: ${hostname}`,
      `Authorization: Bearer ${machine.secret}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n'),
  )
  return socket
}

test('ends with its client, and gets no command then', async () => {
  const machine = await aPullMachine(world, owner)
  await machine.report()
  const { faults } = world
  const opened = Promise.withResolvers<AbortSignal>()
  faults.redis.pass = ({ target, signal }, forward) => {
    if (target === `/subscribe/commands:${machine.id}`) opened.resolve(signal)
    return forward()
  }
  try {
    const socket = holdReport(machine)
    const subscription = await opened.promise
    await isHeld(machine.id)
    socket.resetAndDestroy()
    const startedAt = Date.now()
    await poll(async () => ({ isDone: subscription.aborted, value: undefined }), 'the subscription to end')
    expect(Date.now() - startedAt).toBeLessThan(10_000) // without this, it ends after 20 s: two intervals
  } finally {
    faults.redis.pass = open
  }
  const job = await request(world, owner, machine.id, 'START')
  await world.settle()
  expect(await readRow(world, job.id)).toMatchObject({ state: 'QUEUED', attempts: 0 })
})

test.each(['0', '26', '1.5', 'x'])('refuses to wait for %s s', async (seconds) => {
  const machine = await aPullMachine(world, owner)
  const answer = await machine.send(machine.next(), `?wait=${seconds}`)
  expect([answer.status, answer.body.errors?.[0]?.parameter]).toEqual([422, 'wait'])
})
