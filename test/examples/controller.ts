// A controller for one machine, in one file: verifies that a command comes from Tiebar and is for this machine, executes
// each job once, answers PENDING and reports the outcome. In this project, where npm brings Node 24:
// `npm exec -- node test/examples/controller.ts`. MACHINE_ID is the id of the machine in Tiebar, TIEBAR_URL the origin of
// Tiebar, PORT the port of the controller, and CONTROLLER_URL its address as it is in `controller_url` of the machine.
// A copy of the file needs Node 24 and the package `jose`.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

type Command = {
  command: 'START' | 'STOP'
  sequence: number
  job_id: string
  machine_id: number
  not_after: string
  outcome_url: string
  outcome_token: string
}
type Confirm = { command: 'CONFIRM'; machine_id: number; challenge: string }
type Outcome = { result: 'SUCCESS' | 'REMOTEFAILED'; detail?: string }
type Answer = [status: number, body: object]

const machineId = Number(process.env.MACHINE_ID)
const tiebar = process.env.TIEBAR_URL ?? 'http://127.0.0.1:8787'
const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', tiebar))
/** The keys could not be loaded: no answer, another status than 200, or another content. */
const missingKeys = [errors.JWKSTimeout.code, errors.JWKSInvalid.code, errors.JOSEError.code]
// A real controller stores these persistently: the outcome of each job (null while it is in progress), and the sequence.
const jobs = new Map<string, Outcome | null>()
let highestSequence = 0
/** Ends the START in progress. */
let starting = new AbortController()

/** The machine. Replace this with your machine's control. It must give up when the signal is aborted. */
async function operate(command: 'START' | 'STOP', signal: AbortSignal): Promise<Outcome> {
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  if (signal.aborted) return { result: 'REMOTEFAILED', detail: 'a STOP arrived' }
  process.stdout.write(`the machine does a ${command}\n`)
  return { result: 'SUCCESS', detail: command === 'START' ? 'clamp closed' : 'clamp open' }
}

/** Verifies that Tiebar signed this body for this controller and this machine. */
async function isForThisMachine({ headers }: IncomingMessage, body: Buffer): Promise<boolean> {
  const token = headers.authorization?.replace(/^Bearer /, '') ?? ''
  try {
    const expected = { issuer: tiebar, audience: controllerUrl(), algorithms: ['EdDSA'] }
    const { payload } = await jwtVerify(token, keys, expected)
    const isSameBody = payload.body_sha256 === createHash('sha256').update(body).digest('base64url')
    return isSameBody && payload.machine === machineId
  } catch (error) {
    if (error instanceof errors.JOSEError && !missingKeys.includes(error.code)) return false
    throw error // without the keys, the signature is unknown
  }
}

async function run({ job_id, command, outcome_url, outcome_token }: Command, signal: AbortSignal): Promise<void> {
  const outcome = await operate(command, signal)
  jobs.set(job_id, outcome)
  const headers = { Authorization: `Bearer ${outcome_token}`, 'Content-Type': 'application/json' }
  // Repeats the report after a 5xx or no answer. A 4xx would not change.
  for (let pauseMs = 1_000; pauseMs < 3_600_000; pauseMs *= 2) {
    const response = await fetch(outcome_url, { method: 'POST', headers, body: JSON.stringify(outcome) }).catch(
      () => null,
    )
    if (response && response.status < 500) return
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

/** The status and body of the answer. Tiebar retries after a 503; a 4xx is a refusal. */
async function answer(request: IncomingMessage): Promise<Answer> {
  const body = Buffer.concat(await request.toArray())
  if (!(await isForThisMachine(request, body))) return [401, { error: 'not signed by Tiebar for this machine' }]
  const command: Command | Confirm = JSON.parse(body.toString())
  if (command.command !== 'CONFIRM') return execute(command)
  return [200, { machine_id: machineId, challenge: command.challenge }]
}

function execute(command: Command): Answer {
  const { job_id, sequence, not_after } = command // job_id is also the Idempotency-Key, and it is signed
  if (!jobs.has(job_id)) {
    if (sequence < highestSequence) return [409, { error: 'a later command was received' }]
    if (Date.now() > Date.parse(not_after)) return [410, { error: 'too late' }]
    highestSequence = sequence
    starting.abort() // a later command ends the START in progress
    starting = new AbortController()
    jobs.set(job_id, null)
    void run(command, starting.signal)
  }
  return [200, jobs.get(job_id) ?? { result: 'PENDING' }]
}

const server = createServer(async (request, response) => {
  const [status, body] = await answer(request).catch((error): Answer => [503, { error: String(error) }])
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
})
const controllerUrl = () => process.env.CONTROLLER_URL ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
server.listen(Number(process.env.PORT ?? 9000), '127.0.0.1', () =>
  process.stdout.write(`listening on ${JSON.stringify(server.address())}\n`),
)
