// A controller for one machine, in one file without a package. With PORT it has an address, to which Tiebar posts commands; with
// KEY, an API key with the scope report, it reports, and needs no address. In this project, where npm brings Node 24:
// `npm exec -- node test/examples/controller.ts`. MACHINE_ID is the id of the machine in Tiebar, TIEBAR_URL the origin of Tiebar,
// CONTROLLER_URL the address as it is in `controller_url` of the machine, FILE keeps what a restart must find.
import { createHash, createPublicKey, randomUUID, verify } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

type Sent = { command: 'START' | 'STOP'; sequence: number; job_id: string; machine_id: number } & Record<Text, string>
type Text = 'not_after' | 'outcome_url' | 'outcome_token'
type Outcome = { result: 'SUCCESS' | 'REMOTEFAILED' | 'PENDING'; detail?: string }
type Memory = { status: string; highestSequence: number; jobs: Record<string, Outcome>; untold: string[] }

const { MACHINE_ID, TIEBAR_URL: tiebar = 'http://127.0.0.1:8787', PORT, KEY, CONTROLLER_URL } = process.env
const { FILE = 'controller.json' } = process.env
const [machineId, intervalSeconds] = [Number(MACHINE_ID), Number(process.env.INTERVAL_SECONDS ?? 10)]
const memory: Memory = { status: 'READY', highestSequence: 0, jobs: {}, untold: [] }
if (existsSync(FILE)) Object.assign(memory, JSON.parse(readFileSync(FILE, 'utf8')))
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
let starting = new AbortController() // ends the START in progress
let wake = () => {} // ends the pause before the next report
let keys: { kid: string }[] = []

function save(changes: Partial<Memory>): void {
  writeFileSync(`${FILE}.new`, JSON.stringify(Object.assign(memory, changes)))
  renameSync(`${FILE}.new`, FILE) // the file is always whole
}

/** The machine. Replace this with your machine's control. It must give up when the signal is aborted. */
async function operate(command: 'START' | 'STOP', signal: AbortSignal): Promise<Outcome> {
  await sleep(1_000)
  if (signal.aborted) return { result: 'REMOTEFAILED', detail: 'a STOP arrived' }
  console.log(`the machine does a ${command}`)
  save({ status: command === 'START' ? 'RUNNING' : 'READY' })
  return { result: 'SUCCESS', detail: command === 'START' ? 'clamp closed' : 'clamp open' }
}

/** Executes each job once, in order and in time. @returns the answer to a command that was posted */
function take(sent: Sent): [status: number, Outcome] {
  const { command, job_id: id, sequence, not_after } = sent
  if (memory.jobs[id]) return [200, memory.jobs[id]]
  if (sequence < memory.highestSequence) return [409, { result: 'REMOTEFAILED', detail: 'a later command came' }]
  if (Date.now() > Date.parse(not_after)) return [410, { result: 'REMOTEFAILED', detail: 'too late' }]
  starting.abort() // a later command ends the START in progress
  starting = new AbortController()
  save({ highestSequence: sequence, jobs: { ...memory.jobs, [id]: { result: 'PENDING' } } })
  void operate(command, starting.signal).then((outcome) => finish(sent, outcome))
  return [200, { result: 'PENDING' }]
}

/** The outcome comes with the next report, which is sent at once; without reports it is posted. */
async function finish({ job_id, outcome_url, outcome_token }: Sent, outcome: Outcome): Promise<void> {
  save({ jobs: { ...memory.jobs, [job_id]: outcome }, untold: KEY ? [...memory.untold, job_id] : [] })
  wake()
  for (let pauseMs = 1_000; !KEY && outcome_url && pauseMs < 3_600_000; pauseMs *= 2) {
    const { status = 500 } = (await post(outcome_url, outcome_token, outcome)) ?? {}
    if (status < 500 && status !== 429) return // another 4xx would not change
    await sleep(pauseMs)
  }
}

/** Undefined: there is no answer. */
function post(url: string, token: string, body: object): Promise<Response | undefined> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => undefined)
}

/** Reports for ever, and executes what the answers bring. An outcome is repeated until there is an answer. */
async function keepReporting(key: string): Promise<never> {
  for (let seq = 1, boot_id = randomUUID(); ; seq += 1) {
    const [told] = memory.untold.map((job_id) => ({ outcome: { job_id, ...memory.jobs[job_id] } }))
    const report = { boot_id, seq, status: memory.status, interval_seconds: intervalSeconds, ...told }
    const response = await post(`${tiebar}/api/machines/${machineId}/reports`, key, report)
    const answer = response?.ok ? JSON.parse(await response.text()) : undefined
    if (answer && told) save({ untold: memory.untold.slice(1) })
    const command: Sent | undefined = answer?.command?.machine_id === machineId ? answer.command : undefined
    const [, outcome] = command ? take(command) : []
    if (command && outcome && outcome.result !== 'PENDING') void finish(command, outcome)
    const seconds = answer?.report_again_in_seconds ?? Number(response?.headers.get('Retry-After') ?? intervalSeconds)
    const { promise: woken, resolve } = Promise.withResolvers<void>()
    wake = resolve
    if (!answer || memory.untold.length === 0) await Promise.race([woken, sleep(seconds * 1_000)])
  }
}

/** Verifies that Tiebar signed this body for this controller and this machine. @throws Error without the keys */
async function isForThisMachine(authorization: string, body: Buffer): Promise<boolean> {
  const [head = '', claims = '', signature = ''] = authorization.replace(/^Bearer /, '').split('.')
  const read = (part: string) => (/^eyJ[\w-]+$/.test(part) ? JSON.parse(`${Buffer.from(part, 'base64url')}`) : {})
  const [{ kid, alg }, { iss, aud, exp, machine, body_sha256 }] = [read(head), read(claims)]
  const find = () => keys.find((each) => each.kid === kid)
  if (!find()) keys = [...JSON.parse(await (await fetch(`${tiebar}/.well-known/jwks.json`)).text()).keys]
  const key = find()
  if (!key || alg !== 'EdDSA') return false
  const publicKey = createPublicKey({ key, format: 'jwk' })
  const isSigned = verify(null, Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))
  const isSame = body_sha256 === createHash('sha256').update(body).digest('base64url') && exp * 1_000 > Date.now()
  return isSigned && isSame && iss === tiebar && aud === controllerUrl() && machine === machineId
}

const server = createServer(async (request, response) => {
  const reply = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body))
  const body = Buffer.concat(await request.toArray())
  const isOurs = await isForThisMachine(request.headers.authorization ?? '', body).catch(() => undefined)
  const sent = isOurs ? JSON.parse(body.toString()) : {}
  if (!isOurs) reply(isOurs === undefined ? 503 : 401, { error: 'not signed by Tiebar for this machine' })
  else if (sent.command === 'CONFIRM') reply(200, { machine_id: machineId, challenge: sent.challenge })
  else reply(...take(sent))
})
const controllerUrl = () => CONTROLLER_URL ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

// Nobody knows how far a command got that was in progress before a restart: somebody has to look at the machine.
const interrupted = Object.entries(memory.jobs).filter(([, { result }]) => result === 'PENDING')
if (interrupted.length > 0) save({ status: 'ERROR' })
for (const [job_id] of interrupted) void finish({ job_id } as Sent, { result: 'REMOTEFAILED', detail: 'restarted' })
setInterval(() => Object.assign(keys, { length: 0 }), 600_000).unref() // Tiebar may have new keys
if (KEY) void keepReporting(KEY)
if (PORT !== undefined || !KEY)
  server.listen(Number(PORT ?? 9000), '127.0.0.1', () => console.log('listening on', JSON.stringify(server.address())))
