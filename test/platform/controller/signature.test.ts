// The controller stand-in obeys only what Tiebar has signed for this machine at this address.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { makeSigningKey } from '../../harness.ts'
import { type MachineHandle, startController } from '../controller.ts'

const key = makeSigningKey('test-1')
const { kty, crv, x, kid } = key
let keySet: { status: number; body: string }
beforeAll(() => {
  keySet = { status: 200, body: JSON.stringify({ keys: [{ kty, crv, x, kid }] }) }
})

async function startMachine(answer = keySet): Promise<{ machine: MachineHandle; tiebarUrl: string }> {
  const tiebar = createServer((_, response) => void response.writeHead(answer.status).end(answer.body))
  await new Promise<void>((resolve) => void tiebar.listen(0, '127.0.0.1', resolve))
  const { port } = tiebar.address() as AddressInfo // a TCP server's address is an AddressInfo
  const tiebarUrl = `http://127.0.0.1:${port}`
  const controller = await startController({ tiebarUrl })
  onTestFinished(async () => {
    await controller.close()
    tiebar.close()
  })
  const machine = controller.machine('m')
  machine.pin(42)
  return { machine, tiebarUrl }
}

const command = {
  command: 'START',
  sequence: 7,
  job_id: 'j',
  machine_id: 42,
  attempt: 1,
  not_after: '2036-01-01T00:00:00Z',
  outcome_url: 'http://127.0.0.1:9/outcome',
  outcome_token: 'none',
}
type Changes = { audience?: string; issuer?: string; machine?: number; sequence?: number; signed?: object; by?: object }

async function post({ machine, tiebarUrl }: { machine: MachineHandle; tiebarUrl: string }, changes: Changes = {}) {
  const body = JSON.stringify(command)
  const signed = JSON.stringify(changes.signed ?? command)
  const { sequence = command.sequence, by = key } = changes
  const token = await new SignJWT({
    machine: changes.machine ?? command.machine_id,
    sequence,
    body_sha256: createHash('sha256').update(signed).digest('base64url'),
  })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'test-1' })
    .setIssuer(changes.issuer ?? tiebarUrl)
    .setAudience(changes.audience ?? machine.url)
    .setExpirationTime('60s')
    .sign(by)
  const headers = { Authorization: `Bearer ${token}`, 'Idempotency-Key': 'j' }
  return (await fetch(machine.url, { method: 'POST', headers, body })).status
}

test.each([
  ['the address of another controller', { audience: 'http://127.0.0.1:9/machines/m' }],
  ['another machine', { machine: 43 }],
  ['another sequence', { sequence: 8 }],
  ['another body', { signed: { ...command, command: 'STOP' } }],
  ['the name of another Tiebar', { issuer: 'https://elsewhere.example.com' }],
  ['the key of somebody else', { by: makeSigningKey('test-1') }],
] satisfies [string, Changes][])(
  'a command that is signed with %s is refused, the right one is obeyed',
  async (_, changes) => {
    const place = await startMachine()
    expect(await post(place, changes)).toBe(401)
    expect(place.machine.commands()).toEqual([])
    expect(await post(place)).toBe(200)
    expect(place.machine.state().state).toBe('running')
  },
)

test('a command for another machine is refused, although it is signed for this address', async () => {
  const place = await startMachine()
  place.machine.pin(43)
  expect(await post(place)).toBe(401)
  expect(place.machine.commands()).toEqual([])
})

test.each([
  [503, '{}'],
  [200, '<!doctype html>'],
  [200, '{}'],
])('while the keys are answered with %s and %s, a command gets 503, so that it is sent again', async (status, body) => {
  const place = await startMachine({ status, body })
  expect(await post(place)).toBe(503)
  expect(place.machine.commands()).toEqual([])
})
