// Runs the example controller as a program, between the real Worker and its machine.
import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSigningKey, type Person, poll, type World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { type Program, runCommandOf, runExample } from './programs.ts'

const file = new URL('controller.ts', import.meta.url).pathname
const key = makeSigningKey('test-1')
let world: World
let owner: Person
let program: Program
let url: string
beforeAll(async () => {
  world = await useWorld({ JWT_KEYS: JSON.stringify([key]) })
  owner = await world.signUp()
  program = runExample(file, [], { TIEBAR_URL: world.url, PORT: '0' })
  const [, port] = await program.waitFor(/listening on .*"port":(\d+)/)
  url = `http://127.0.0.1:${port}/`
})
afterAll(async () => {
  program?.child.kill()
})

const countOf = (command: string) => program.lines.filter((line) => line === `the machine does a ${command}`).length

test('START and STOP are PENDING and are reported when they are done', async () => {
  const machine = await world.createMachine(owner, { controller_url: url })
  for (const [command, detail] of [
    ['START', 'clamp closed'],
    ['STOP', 'clamp open'],
  ] as const) {
    const before = countOf(command)
    const { body } = await world.operate(owner, machine.id, command)
    const job = await world.waitForJob(owner, body.id, 'SUCCEEDED')
    expect(job).toMatchObject({ result: 'SUCCESS', detail, attempts: 1 })
    expect(countOf(command)).toBe(before + 1)
  }
})

const command = (changes: object = {}) =>
  JSON.stringify({
    command: 'STOP',
    job_id: crypto.randomUUID(),
    not_after: new Date(Date.now() + 60_000).toISOString(),
    outcome_url: `${world.url}/api/callbacks/jobs/none/outcome`,
    outcome_token: 'none',
    ...changes,
  })

function sign(body: string, { issuer = world.url, audience = 'controller', by = key } = {}): Promise<string> {
  return new SignJWT({ body_sha256: createHash('sha256').update(body).digest('base64url') })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'test-1' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(by)
}

const post = (body: string, authorization?: string) =>
  fetch(url, { method: 'POST', body, headers: authorization ? { Authorization: `Bearer ${authorization}` } : {} })

test('a command that Tiebar has not signed is refused, and the machine does nothing', async () => {
  const before = countOf('STOP')
  const body = command()
  const forged = [
    undefined,
    'not a token',
    await sign(body, { by: makeSigningKey('test-1') }),
    await sign(body, { audience: 'outcome' }),
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

test('a repeated command is not executed again, and is answered with the current state', async () => {
  const before = countOf('STOP')
  const body = command()
  const token = await sign(body)
  const answers = await Promise.all([post(body, token), post(body, token)])
  for (const answer of answers) expect([answer.status, await answer.json()]).toEqual([200, { result: 'PENDING' }])
  await poll(async () => {
    const answer = await (await post(body, token)).json()
    return { isDone: (answer as { result: string }).result === 'SUCCESS', value: answer }
  }, 'the answer of a job that is done')
  expect(countOf('STOP')).toBe(before + 1)
})

test('while the keys cannot be loaded, commands get 503, so that the queue retries', async () => {
  const alone = runExample(file, [], { TIEBAR_URL: 'http://127.0.0.1:9', PORT: '0' })
  try {
    const [, port] = await alone.waitFor(/listening on .*"port":(\d+)/)
    const body = command()
    const headers = { Authorization: `Bearer ${await sign(body, { issuer: 'http://127.0.0.1:9' })}` }
    expect((await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers })).status).toBe(503)
    expect(alone.lines).toHaveLength(1)
  } finally {
    alone.child.kill()
  }
})

test('the command in its comment starts it', async () => {
  const program = runCommandOf('controller.ts', { TIEBAR_URL: world.url, PORT: '0' })
  try {
    const [, port] = await program.waitFor(/listening on .*"port":(\d+)/)
    expect((await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' })).status).toBe(401)
  } finally {
    await program.end()
  }
})
