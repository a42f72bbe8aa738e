// A controller for one machine, in one file: verifies that a command comes from Tiebar, executes each job once, answers
// PENDING and reports the outcome. In this project, where npm brings Node 24:
// `npm exec -- node test/examples/controller.ts`; TIEBAR_URL and PORT are the URL of Tiebar and the port of the
// controller. A copy of the file needs Node 24 and the package `jose`.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

type Command = {
  command: 'START' | 'STOP'
  job_id: string
  not_after: string
  outcome_url: string
  outcome_token: string
}
type Outcome = { result: 'SUCCESS' | 'REMOTEFAILED'; detail?: string }

const tiebar = process.env.TIEBAR_URL ?? 'http://127.0.0.1:8787'
const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', tiebar))
/** The outcome of each job; null while it is in progress. A real controller stores this persistently. */
const jobs = new Map<string, Outcome | null>()

/** The machine. Replace this with your machine's control. */
async function operate(command: 'START' | 'STOP'): Promise<Outcome> {
  process.stdout.write(`the machine does a ${command}\n`)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  return { result: 'SUCCESS', detail: command === 'START' ? 'clamp closed' : 'clamp open' }
}

/** Verifies that Tiebar signed the command and that the body is the signed one. */
async function isFromTiebar({ headers }: IncomingMessage, body: Buffer): Promise<boolean> {
  const token = headers.authorization?.replace(/^Bearer /, '') ?? ''
  try {
    const expected = { issuer: tiebar, audience: 'controller', algorithms: ['EdDSA'] }
    const { payload } = await jwtVerify(token, keys, expected)
    return payload.body_sha256 === createHash('sha256').update(body).digest('base64url')
  } catch (error) {
    if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout)) return false
    throw error // the keys cannot be loaded, so the signature is unknown
  }
}

async function run({ job_id, command, outcome_url, outcome_token }: Command): Promise<void> {
  const outcome = await operate(command)
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
async function judge(request: IncomingMessage): Promise<[status: number, body: object]> {
  const body = Buffer.concat(await request.toArray())
  if (!(await isFromTiebar(request, body))) return [401, { error: 'not signed by Tiebar' }]
  const command: Command = JSON.parse(body.toString())
  const { job_id, not_after } = command // job_id is also the Idempotency-Key, and it is signed
  if (!jobs.has(job_id)) {
    if (Date.now() > Date.parse(not_after)) return [410, { error: 'too late' }]
    jobs.set(job_id, null)
    void run(command)
  }
  return [200, jobs.get(job_id) ?? { result: 'PENDING' }]
}

const server = createServer(async (request, response) => {
  const [status, body] = await judge(request).catch((error) => [503, { error: String(error) }] as const)
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
})
server.listen(Number(process.env.PORT ?? 9000), '127.0.0.1', () =>
  process.stdout.write(`listening on ${JSON.stringify(server.address())}\n`),
)
