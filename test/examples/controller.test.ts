// Runs the example controller as a program, between the real Worker and its machine.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSigningKey, type Person, poll, type World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { newFile, type Program, runCommandOf, runExample } from './programs.ts'

const file = new URL('controller.ts', import.meta.url).pathname
let world: World
let owner: Person
let machineId: number
let program: Program
let url: string
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
  machineId = (await world.createUnconfirmedMachine(owner, { controller_url: null })).id
  program = runExample(file, [], { TIEBAR_URL: world.url, PORT: '0', MACHINE_ID: String(machineId), FILE: newFile() })
  const [, port] = await program.waitFor(/listening on .*"port":(\d+)/)
  url = `http://127.0.0.1:${port}/`
  await owner.request('PATCH', `/api/machines/${machineId}`, { body: { controller_url: url } })
})
afterAll(async () => {
  program?.child.kill()
})

const countOf = (command: string) => program.lines.filter((line) => line === `the machine does a ${command}`).length

test('it confirms its own machine, and START and STOP are PENDING and are reported when they are done', async () => {
  for (const [command, detail] of [
    ['START', 'clamp closed'],
    ['STOP', 'clamp open'],
  ] as const) {
    const before = countOf(command)
    const { body } = await world.operate(owner, machineId, command)
    const job = await world.waitForJob(owner, body.id, 'SUCCEEDED')
    expect(job).toMatchObject({ result: 'SUCCESS', detail, attempts: 1 })
    expect(countOf(command)).toBe(before + 1)
  }
})

test('it refuses the machine of somebody else who has registered its address', async () => {
  const stranger = await world.signUp()
  const stolen = await world.createUnconfirmedMachine(stranger, { controller_url: `${url}?of=stranger` })
  const answer = await stranger.request('POST', `/api/machines/${stolen.id}/controller/check`)
  expect([answer.status, answer.body.code]).toEqual([409, 'controller_refused'])
})

let lastSequence = 1_000
const command = (changes: object = {}) =>
  JSON.stringify({
    command: 'STOP',
    sequence: ++lastSequence,
    job_id: crypto.randomUUID(),
    machine_id: machineId,
    not_after: new Date(Date.now() + 60_000).toISOString(),
    outcome_url: `${world.url}/api/callbacks/jobs/none/outcome`,
    outcome_token: 'none',
    ...changes,
  })

function sign(
  body: string,
  { issuer = world.url, audience = url, by = world.signingKey, machine = machineId } = {},
): Promise<string> {
  return new SignJWT({ machine, body_sha256: createHash('sha256').update(body).digest('base64url') })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'test-1' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(by)
}

const post = (body: string, authorization?: string) =>
  fetch(url, { method: 'POST', body, headers: authorization ? { Authorization: `Bearer ${authorization}` } : {} })

/** Sends a command again and again until the controller answers that its job has ended with this result. */
async function untilEnded(body: string, token: string, result: 'SUCCESS' | 'REMOTEFAILED'): Promise<void> {
  await poll(async () => {
    const answer = (await (await post(body, token)).json()) as { result: string } // as the controller answers
    return { isDone: answer.result === result, value: answer }
  }, `the result ${result}`)
}

test('a command that Tiebar has not signed for this machine is refused, and the machine does nothing', async () => {
  const before = countOf('STOP')
  const body = command()
  const forged = [
    undefined,
    'not a token',
    await sign(body, { by: makeSigningKey('test-1') }),
    await sign(body, { audience: 'outcome' }),
    await sign(body, { audience: 'http://127.0.0.1:9/' }), // a command for another controller
    await sign(body, { machine: machineId + 1 }),
    await sign(body, { issuer: 'https://elsewhere.example.com' }),
    await sign(command()), // another body
    owner.access,
  ]
  for (const token of forged) expect((await post(body, token)).status).toBe(401)
  expect(countOf('STOP')).toBe(before)
})

test('a command that is too late is refused', async () => {
  const before = countOf('STOP')
  const late = command({ not_after: new Date(Date.now() - 1_000).toISOString() })
  expect((await post(late, await sign(late))).status).toBe(410)
  expect(countOf('STOP')).toBe(before)
})

test('a command that is older than one that it has received is refused', async () => {
  const before = countOf('START')
  const older = command({ command: 'START' })
  const newer = command()
  const token = await sign(newer)
  expect((await post(newer, token)).status).toBe(200)
  expect((await post(older, await sign(older))).status).toBe(409)
  await untilEnded(newer, token, 'SUCCESS')
  expect(countOf('START')).toBe(before)
})

test('a STOP ends the START in progress', async () => {
  const before = countOf('START')
  const start = command({ command: 'START' })
  const token = await sign(start)
  await post(start, token)
  const stop = command()
  const stopToken = await sign(stop)
  await post(stop, stopToken)
  await untilEnded(start, token, 'REMOTEFAILED')
  await untilEnded(stop, stopToken, 'SUCCESS')
  expect(countOf('START')).toBe(before)
})

test('a repeated command is not executed again, and is answered with the current state', async () => {
  const before = countOf('STOP')
  const body = command()
  const token = await sign(body)
  const answers = await Promise.all([post(body, token), post(body, token)])
  for (const answer of answers) expect([answer.status, await answer.json()]).toEqual([200, { result: 'PENDING' }])
  await untilEnded(body, token, 'SUCCESS')
  expect(countOf('STOP')).toBe(before + 1)
})

test.each([
  ['there is no answer', null, ''],
  ['the answer is 503', 503, '{}'],
  ['the answer is not JSON', 200, '<!doctype html>'],
  ['the answer has no keys', 200, '{}'],
])(
  'while the keys cannot be loaded, because %s, commands get 503, so that the queue retries',
  async (_, status, text) => {
    const faulty = createServer((_request, response) => void response.writeHead(status ?? 500).end(text))
    await new Promise<void>((resolve) => void faulty.listen(0, '127.0.0.1', resolve))
    const { port: faultyPort } = faulty.address() as AddressInfo // it listens on a port
    const issuer = status === null ? 'http://127.0.0.1:9' : `http://127.0.0.1:${faultyPort}`
    const alone = runExample(file, [], { TIEBAR_URL: issuer, PORT: '0', MACHINE_ID: '1', FILE: newFile() })
    try {
      const [, port] = await alone.waitFor(/listening on .*"port":(\d+)/)
      const body = command()
      const headers = { Authorization: `Bearer ${await sign(body, { issuer })}` }
      expect((await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers })).status).toBe(503)
      expect(alone.lines).toHaveLength(1)
    } finally {
      alone.child.kill()
      faulty.close()
    }
  },
)

test('the command in its comment starts it', async () => {
  const program = runCommandOf('controller.ts', { TIEBAR_URL: world.url, PORT: '0', MACHINE_ID: '1', FILE: newFile() })
  try {
    const [, port] = await program.waitFor(/listening on .*"port":(\d+)/)
    expect((await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' })).status).toBe(401)
  } finally {
    await program.end()
  }
})
