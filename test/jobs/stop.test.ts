// A STOP always gets through: in every status, over every open job, without the queue, and never after a START by the clock.
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Person, poll, type World } from '../harness.ts'
import { keepMessages, only, open, shut } from '../platform/faults.ts'
import { startHttpServer } from '../platform/http.ts'
import { useQuietWorld } from '../shared-world.ts'
import {
  deliver,
  deliverEarly,
  readMachineStatus,
  readRow,
  readTimeline,
  request,
  setMachineStatus,
  waitUntilDue,
} from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

const report = (token: string | undefined, jobId: string, result: string) =>
  world.request('POST', `/api/callbacks/jobs/${jobId}/outcome`, { token, body: { result } })

/** A job that the controller has accepted and works on. */
async function pendingJob(command: 'START' | 'STOP') {
  const machine = await world.createMachine(owner)
  machine.behave({ mode: 'fail', status: 200, body: { result: 'PENDING' }, times: 1 })
  const job = await request(world, owner, machine.id, command)
  await deliver(world, job.id)
  return { machine, job, token: machine.commands().at(-1)?.outcome_token }
}

/** A job whose attempt is in progress; `answer` ends it. */
async function jobInProgress(command: 'START' | 'STOP') {
  const released = Promise.withResolvers<object>()
  const commands: string[] = []
  const controller = await startHttpServer('controller', async ({ body }) => {
    const received: { command: string } = JSON.parse(body.toString())
    commands.push(received.command)
    return { body: commands.length === 1 ? await released.promise : { result: 'SUCCESS' } }
  })
  onTestFinished(() => controller.close())
  const machine = await world.createMachine(owner, { controller_url: controller.url })
  const job = await request(world, owner, machine.id, command)
  const delivery = deliver(world, job.id)
  await poll(async () => ({ isDone: commands.length === 1, value: commands }), 'the command to arrive')
  const answer = (body: object) => {
    released.resolve(body)
    return delivery
  }
  return { machine, job, commands, answer }
}

describe('a STOP', () => {
  test.each(['POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR'])(
    'is accepted in %s and ends READY',
    async (status) => {
      const machine = await world.createMachine(owner)
      await setMachineStatus(world, machine.id, status)
      const stop = await request(world, owner, machine.id, 'STOP')
      await deliver(world, stop.id)
      expect(await readRow(world, stop.id)).toMatchObject({ state: 'SUCCEEDED' })
      expect(await readMachineStatus(world, machine.id)).toBe('READY')
    },
  )

  test('supersedes a PENDING STOP whose controller died', async () => {
    const { machine, job } = await pendingJob('STOP')
    const stop = await request(world, owner, machine.id, 'STOP')
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUPERSEDED', reason: 'by_stop' })
    expect(await readRow(world, stop.id)).toMatchObject({ state: 'QUEUED', must_succeed: true, sequence: 2 })
    await deliver(world, stop.id)
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
  })

  test('supersedes a STOP whose attempt failed, and inherits that it must succeed', async () => {
    const { machine } = await pendingJob('START')
    const first = await request(world, owner, machine.id, 'STOP')
    machine.behave({ mode: 'fail', status: 503, times: 1 })
    await deliver(world, first.id)
    const second = await request(world, owner, machine.id, 'STOP')
    expect(await readRow(world, first.id)).toMatchObject({ state: 'SUPERSEDED' })
    expect(await readRow(world, second.id)).toMatchObject({ must_succeed: true, sequence: 3 })
  })

  test('that is still QUEUED is answered again: the same job, also with other keys', async () => {
    const machine = await world.createMachine(owner)
    const first = await request(world, owner, machine.id, 'STOP')
    const staff = await world.signUpStaff()
    for (const person of [owner, staff]) {
      const headers = { 'Idempotency-Key': crypto.randomUUID() }
      const again = () =>
        person.request('POST', `/api/machines/${machine.id}/operation`, { body: { command: 'STOP' }, headers })
      for (const answer of [await again(), await again()]) {
        expect([answer.status, answer.body.id, answer.headers.get('Location')]).toEqual([
          202,
          first.id,
          `/api/jobs/${first.id}`,
        ])
      }
    }
    expect(await readTimeline(world, first.id)).toHaveLength(1)
  })

  test('that is QUEUED and has expired is superseded by a new one', async () => {
    const machine = await world.createMachine(owner)
    const first = await request(world, owner, machine.id, 'STOP')
    await world.postgres.query("UPDATE jobs SET not_after = now() - interval '1 second' WHERE id = $1", [first.id])
    const second = await request(world, owner, machine.id, 'STOP')
    expect(second.id).not.toBe(first.id)
    expect(await readRow(world, first.id)).toMatchObject({ state: 'SUPERSEDED' })
  })

  test('takes over the lease of a START that a slow controller works on', async () => {
    const { machine, job: start, commands, answer } = await jobInProgress('START')
    const stop = await request(world, owner, machine.id, 'STOP')
    expect((await deliver(world, stop.id)).status).toBe(200)
    expect(commands).toEqual(['START', 'STOP'])
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
    // The START acts after the STOP, and says so: somebody must look.
    expect((await answer({ result: 'SUCCESS' })).status).toBe(200)
    expect(await readRow(world, start.id)).toMatchObject({ state: 'SUPERSEDED' })
    expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
  })

  test('waits for the attempt of an earlier STOP', async () => {
    const { machine, commands, answer } = await jobInProgress('STOP')
    const stop = await request(world, owner, machine.id, 'STOP')
    const early = await deliverEarly(world, stop.id)
    expect([early.status, early.headers.get('Retry-After')]).toEqual([503, '2'])
    await answer({ result: 'SUCCESS' })
    expect((await deliver(world, stop.id)).status).toBe(200)
    expect(commands).toEqual(['STOP', 'STOP'])
  })
})

describe('a START that succeeds after a later STOP has ended sets ERROR', () => {
  test('a report of a PENDING START', async () => {
    const { machine, job, token } = await pendingJob('START')
    const stop = await request(world, owner, machine.id, 'STOP')
    await deliver(world, stop.id)
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
    expect((await report(token, job.id, 'SUCCESS')).status).toBe(200)
    expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
    // The way out: a STOP.
    await deliver(world, (await request(world, owner, machine.id, 'STOP')).id)
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
  })

  test('but not after a person has changed the status or the controller', async () => {
    for (const change of [{ status: 'POWEROFF' }, { controller_url: null }]) {
      const { machine, job, token } = await pendingJob('START')
      await deliver(world, (await request(world, owner, machine.id, 'STOP')).id)
      const changed = await owner.request('PATCH', `/api/machines/${machine.id}`, { body: change })
      expect(changed.status).toBe(200)
      expect((await report(token, job.id, 'SUCCESS')).status).toBe(200)
      expect(await readMachineStatus(world, machine.id)).toBe(changed.body.status)
      expect(await readTimeline(world, job.id)).toContainEqual(expect.arrayContaining(['late_answer', 'SUCCESS']))
    }
  })

  test('a refusal of the START then changes nothing', async () => {
    const { machine, job, token } = await pendingJob('START')
    await deliver(world, (await request(world, owner, machine.id, 'STOP')).id)
    await report(token, job.id, 'REMOTEFAILED')
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
  })
})

describe('the order of jobs', () => {
  test('is the sequence, not the clock: a STOP stamped before its START decides', async () => {
    const { machine, job: start, token } = await pendingJob('START')
    const stop = await request(world, owner, machine.id, 'STOP')
    await world.postgres.query("UPDATE jobs SET requested_at = requested_at - interval '5 seconds' WHERE id = $1", [
      stop.id,
    ])
    await deliver(world, stop.id)
    await report(token, start.id, 'REMOTEFAILED')
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
    expect([start.sequence, stop.sequence]).toEqual([1, 2])
    expect(machine.commands().map(({ sequence }) => sequence)).toEqual([1, 2])
  })

  test('counts accepted jobs of one machine; a refused job has 0', async () => {
    const machine = await world.createMachine(owner)
    const start = await request(world, owner, machine.id, 'START')
    await world.operate(owner, machine.id, 'START')
    const stop = await request(world, owner, machine.id, 'STOP')
    const other = await request(world, owner, (await world.createMachine(owner)).id, 'START')
    expect([start.sequence, stop.sequence, other.sequence]).toEqual([1, 2, 1])
    const { body } = await owner.request('GET', `/api/machines/${machine.id}/history`)
    expect(body.items.map(({ state, sequence }: { state: string; sequence: number }) => [state, sequence])).toEqual([
      ['QUEUED', 2],
      ['REJECTED', 0],
      ['SUPERSEDED', 1],
    ])
  })

  test('twenty STOPs at once get one job, or one each in order', async () => {
    const machine = await world.createMachine(owner)
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.operate(owner, machine.id, 'STOP')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
  })
})

describe('a STOP that QStash does not accept', () => {
  test('is sent by the Worker itself, with 202 before', async () => {
    world.faults.qstash.pass = shut
    onTestFinished(() => {
      world.faults.qstash.pass = keepMessages
    })
    const machine = await world.createMachine(owner)
    const stop = await request(world, owner, machine.id, 'STOP')
    const job = await world.waitForJob(owner, stop.id, 'SUCCEEDED')
    expect(job.attempts).toBe(1)
    expect(machine.commands().map(({ command }) => command)).toEqual(['STOP'])
    const start = await request(world, owner, machine.id, 'START')
    await world.settle()
    expect(await readRow(world, start.id)).toMatchObject({ state: 'QUEUED', attempts: 0 })
    // Only a delivery by QStash shows that it has the job.
    expect(await readRow(world, stop.id)).toMatchObject({ published_at: null })
  })

  test('is sent again after a failed attempt, with the usual delays', async () => {
    world.faults.qstash.pass = shut
    onTestFinished(() => {
      world.faults.qstash.pass = keepMessages
    })
    const machine = await world.createMachine(owner)
    machine.behave({ mode: 'fail', status: 503, times: 2 })
    const stop = await request(world, owner, machine.id, 'STOP')
    expect(await world.waitForJob(owner, stop.id, 'SUCCEEDED')).toMatchObject({ attempts: 3 })
    const [first = 0, second = 0, third = 0] = machine.commands().map(({ received_at }) => Date.parse(received_at))
    expect(second - first).toBeGreaterThanOrEqual(1_000)
    expect(third - second).toBeGreaterThanOrEqual(2_000)
  })

  test('is sent although PostgreSQL does not answer the first claim', async () => {
    const machine = await world.createMachine(owner)
    world.faults.qstash.pass = shut
    world.faults.postgres.pass = only(shut, { count: 1, fits: ({ body }) => body.includes('/* claim */') })
    onTestFinished(() => {
      world.faults.qstash.pass = keepMessages
      world.faults.postgres.pass = open
    })
    await request(world, owner, machine.id, 'STOP')
    expect(await machine.waitForCommand(undefined, 15_000)).toMatchObject({ command: 'STOP' })
  })

  test('is sent by the sweep when the Worker stopped before it', async () => {
    const machine = await world.createMachine(owner)
    const stop = await request(world, owner, machine.id, 'STOP')
    await world.postgres.query('UPDATE jobs SET due_at = now() WHERE id = $1', [stop.id])
    world.faults.qstash.pass = shut
    onTestFinished(() => {
      world.faults.qstash.pass = keepMessages
    })
    await world.sweep()
    expect(await world.waitForJob(owner, stop.id, 'SUCCEEDED')).toMatchObject({ attempts: 1 })
  })
})

describe('a replayed operation', () => {
  const aReplayed = async (command: 'START' | 'STOP') => {
    const machine = await world.createMachine(owner)
    const headers = { 'Idempotency-Key': crypto.randomUUID() }
    const operate = () => owner.request('POST', `/api/machines/${machine.id}/operation`, { body: { command }, headers })
    const { body: job } = await operate()
    const countMessages = () => world.requestsTo('qstash').filter(({ body }) => body.includes(job.id)).length
    const countLooks = () => {
      const isLook = (text: string) => text.includes('redispatch-unpublished') && text.includes(job.id)
      return world.requestsTo('postgres').filter(({ body }) => isLook(body.toString())).length
    }
    /** Replays it, and returns how many messages of the job QStash has got in all: at least `messages`. */
    const replay = async (messages: number) => {
      const before = countLooks()
      const replayed = await operate()
      expect([replayed.status, replayed.body.id]).toEqual([202, job.id])
      expect(replayed.headers.get('Idempotency-Replayed')).toBe('true')
      await poll(async () => ({ isDone: countLooks() > before, value: before }), 'the Worker to look at the job again')
      await poll(async () => ({ isDone: countMessages() >= messages, value: countMessages() }), 'the messages')
      await world.settle()
      return countMessages()
    }
    return { machine, job, replay }
  }

  test.each(['START', 'STOP'] as const)('publishes a %s again that QStash is not known to have', async (command) => {
    const { job, replay } = await aReplayed(command)
    expect(await replay(2)).toBe(2)
    expect(await readRow(world, job.id)).toMatchObject({ publish_no: 2, published_at: expect.anything() })
    expect(await replay(2)).toBe(2)
  })

  test('publishes nothing after the first delivery', async () => {
    const { machine, job, replay } = await aReplayed('START')
    machine.behave({ mode: 'fail', status: 503 })
    await deliver(world, job.id)
    expect(await replay(1)).toBe(1)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SENT', publish_no: 1 })
  })
})

test('the requester of a START must still be allowed when it is sent; a STOP goes out', async () => {
  for (const right of ['is_staff', 'is_active']) {
    const staff = await world.signUpStaff()
    const machine = await world.createMachine(owner)
    const start = await request(world, staff, machine.id, 'START')
    await world.postgres.query(`UPDATE accounts SET ${right} = false WHERE id = $1`, [staff.id])
    await deliver(world, start.id)
    expect(await readRow(world, start.id)).toMatchObject({
      state: 'REJECTED',
      result: 'PERMISSIONDENIED',
      reason: 'not_allowed',
    })
    expect(machine.commands()).toEqual([])
    const other = await world.signUpStaff()
    const stop = await request(world, other, machine.id, 'STOP')
    await world.postgres.query(`UPDATE accounts SET ${right} = false WHERE id = $1`, [other.id])
    await deliver(world, stop.id)
    expect(await readRow(world, stop.id)).toMatchObject({ state: 'SUCCEEDED' })
  }
})

test('a machine that runs keeps its controller and is not deleted', async () => {
  for (const status of ['RUNNING', 'PENDING']) {
    const machine = await world.createMachine(owner)
    await setMachineStatus(world, machine.id, status)
    const path = `/api/machines/${machine.id}`
    const whole = { name: 'New', location: 'Hall 2' }
    for (const answer of [
      await owner.request('DELETE', path),
      await owner.request('PATCH', path, { body: { controller_url: null } }),
      await owner.request('PUT', path, { body: whole }),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([409, 'machine_running'])
    }
    await deliver(world, (await request(world, owner, machine.id, 'STOP')).id)
    expect((await owner.request('DELETE', path)).status).toBe(204)
  }
})

test('a STOP of 900 s to a controller that answers 503 makes at most 20 attempts, over all messages', async () => {
  const machine = await world.createMachine(owner)
  machine.behave({ mode: 'fail', status: 503 })
  const { body: stop } = await world.operate(owner, machine.id, 'STOP', 900)
  // QStash is as eager as it may be: it delivers whenever the Worker would begin an attempt, and never sooner.
  let elapsedSeconds = 0
  for (;;) {
    const [row] = await world.postgres.query(
      `SELECT state, greatest(extract(epoch FROM next_attempt_at - now()), 0)::float8 AS delay FROM jobs WHERE id = $1`,
      [stop.id],
    )
    if (row?.state !== 'QUEUED' && row?.state !== 'SENT') break
    const delay = Number(row.delay ?? 0)
    elapsedSeconds += delay
    await world.postgres.query(
      `UPDATE jobs SET next_attempt_at = next_attempt_at - make_interval(secs => $2),
        not_after = not_after - make_interval(secs => $2) WHERE id = $1`,
      [stop.id, delay],
    )
    await deliverEarly(world, stop.id)
  }
  expect(elapsedSeconds).toBeGreaterThan(840)
  expect(await readRow(world, stop.id)).toMatchObject({ state: 'EXPIRED', attempts: 20 })
})

test('a delivery that comes before its time begins no attempt, and says when to come again', async () => {
  const machine = await world.createMachine(owner)
  machine.behave({ mode: 'fail', status: 503 })
  const stop = await request(world, owner, machine.id, 'STOP')
  for (const [attempts, seconds] of [1, 2, 4, 8, 16, 30, 60, 60].entries()) {
    expect((await deliverEarly(world, stop.id)).status).toBe(503)
    const early = await deliverEarly(world, stop.id)
    expect([early.status, early.headers.get('Retry-After')]).toEqual([503, String(seconds)])
    expect(await readRow(world, stop.id)).toMatchObject({ attempts: attempts + 1 })
    await waitUntilDue(world, stop.id)
  }
})
