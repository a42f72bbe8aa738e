// Runs the example controller as a program without an address: it reports to the real Worker, and fetches its commands.
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { makeKey } from '../accounts/people.ts'
import { findBlock } from '../documents.ts'
import { type Person, poll, type World } from '../harness.ts'
import { readMachine } from '../jobs/reporting.ts'
import { useWorld } from '../shared-world.ts'
import { newFile, type Program, runExample } from './programs.ts'

const file = new URL('controller.ts', import.meta.url).pathname
let world: World
let owner: Person
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
})

/** A machine without an address, and how to start its controller. */
async function aMachine() {
  const { id } = await world.createMachine(owner, { controller_url: null })
  const { secret } = await makeKey(world, owner, { scopes: ['report'], machine_id: id })
  const env = { MACHINE_ID: String(id), KEY: secret, FILE: newFile(), INTERVAL_SECONDS: '5' }
  const run = (url = world.url): Program => {
    const program = runExample(file, [], { TIEBAR_URL: url, ...env })
    onTestFinished(() => void program.child.kill('SIGKILL'))
    return program
  }
  /** Waits until the controller has reported, so that it fetches the next command with its next report. */
  const reported = (status: string) =>
    poll(async () => {
      const machine = await readMachine(owner, id)
      return { isDone: machine.reported?.status === status, value: machine }
    }, `the report ${status}`)
  return { id, run, reported }
}

const countOf = ({ lines }: Program, command: string) =>
  lines.filter((line) => line === `the machine does a ${command}`).length

test('it fetches START and STOP, executes each once, and its reports confirm them', async () => {
  const machine = await aMachine()
  const program = machine.run()
  await machine.reported('READY')
  for (const [command, status] of [
    ['START', 'RUNNING'],
    ['STOP', 'READY'],
  ] as const) {
    const { body } = await world.operate(owner, machine.id, command)
    expect(await world.waitForJob(owner, body.id, 'SUCCEEDED')).toMatchObject({ attempts: 1 })
    await machine.reported(status)
    expect((await owner.request('GET', `/api/jobs/${body.id}`)).body.confirmed_at).not.toBeNull()
    expect(countOf(program, command)).toBe(1)
  }
  expect(program.lines.some((line) => line.startsWith('listening'))).toBe(false)
})

test('a STOP ends the START in progress', async () => {
  const machine = await aMachine()
  const program = machine.run()
  await machine.reported('READY')
  const { body: start } = await world.operate(owner, machine.id, 'START')
  await world.waitForJob(owner, start.id, 'SENT')
  const { body: stop } = await world.operate(owner, machine.id, 'STOP')
  // The outcome of the START is reported at once, and the answer brings the STOP.
  await world.waitForJob(owner, stop.id, 'SUCCEEDED')
  expect(countOf(program, 'STOP')).toBe(1)
})

test('after a restart it executes nothing again, and says that it does not know', async () => {
  const machine = await aMachine()
  const first = machine.run()
  await machine.reported('READY')
  const { body: start } = await world.operate(owner, machine.id, 'START')
  await world.waitForJob(owner, start.id, 'SENT')
  first.child.kill('SIGKILL')
  await first.ended
  const second = machine.run()
  expect(await world.waitForJob(owner, start.id, 'FAILED')).toMatchObject({
    result: 'REMOTEFAILED',
    detail: 'restarted',
  })
  await machine.reported('ERROR')
  expect(countOf(first, 'START') + countOf(second, 'START')).toBe(0)
})

test('the curl commands in the document fetch a command and report its outcome', async () => {
  const { id } = await world.createMachine(owner, { controller_url: null })
  const { secret } = await makeKey(world, owner, { scopes: ['report'], machine_id: id })
  const [define = '', ...reports] = findBlock('docs/controllers.md', 'report()').trim().split('\n')
  const send = async (index: number, jobId = '') => {
    const script = `${define}\n${reports[index]}`.replace('/42/', `/${id}/`).replace('JOB_ID', jobId)
    const { stdout } = await promisify(execFile)('bash', ['-c', script], {
      env: { PATH: process.env.PATH, TIEBAR_URL: world.url, KEY: secret },
    })
    return JSON.parse(stdout)
  }
  expect(await send(0)).toEqual({ report_again_in_seconds: 10, holds: [], command: null })
  const { body: start } = await world.operate(owner, id, 'START')
  expect((await send(1)).command).toMatchObject({ command: 'START', job_id: start.id })
  await send(2, start.id)
  expect((await owner.request('GET', `/api/jobs/${start.id}`)).body).toMatchObject({ state: 'SUCCEEDED' })
  await send(3)
  expect(await readMachine(owner, id)).toMatchObject({ status: 'ERROR', reported: { alarm: { code: 'E-204' } } })
  expect(reports).toHaveLength(4)
})

test('an outcome whose answer is lost is repeated', async () => {
  const machine = await aMachine()
  let lost = 0
  const proxy = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    const { authorization = '' } = request.headers
    const headers = { Authorization: authorization, 'Content-Type': 'application/json' }
    const answer = await fetch(`${world.url}${request.url}`, { method: 'POST', headers, body })
    if (body.includes('"outcome"') && lost < 2) {
      lost += 1
      request.socket.destroy()
    } else response.writeHead(answer.status).end(await answer.text())
  })
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close())
  const program = machine.run(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
  await machine.reported('READY')
  const { body: start } = await world.operate(owner, machine.id, 'START')
  await world.waitForJob(owner, start.id, 'SUCCEEDED')
  await poll(async () => ({ isDone: lost === 2, value: lost }), 'the outcome to be repeated')
  await world.operate(owner, machine.id, 'STOP')
  await program.waitFor(/the machine does a STOP/)
  expect(countOf(program, 'START')).toBe(1)
})
