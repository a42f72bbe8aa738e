// Requests to the controller of a machine. Each is signed for one URL and one machine. Before the first command, the
// controller confirms that it controls this machine. So nobody can operate another machine by registering its controller.
import type { TokenIssuer } from '../accounts/token.ts'
import type { Upstreams } from '../http/context.ts'
import { readAtMost } from '../http/middleware/json-body.ts'
import { TiebarError } from '../kernel/error.ts'
import { describeError } from '../kernel/log.ts'
import type { Trace } from '../kernel/trace.ts'
import { findControllerUrlFault, normalizeControllerUrl } from './controller-url.ts'
import { publishChanges, toMachineChange } from './feed.ts'
import { storeConfirmation } from './sql/confirm.ts'

export type ControllerContext = {
  upstreams: Upstreams
  trace: Trace
  tokens: TokenIssuer
  /** Accepts controllers on loopback and private hosts. */
  allowPrivateControllers: boolean
  /** Keeps the Worker running for work that continues after the answer. */
  waitUntil: (work: Promise<unknown>) => void
}

/** How long one attempt waits for a controller, the confirmation included. */
export const controllerTimeoutMs = 10_000
const tokenSeconds = 60
const maxAnswerBytes = 64 * 1024

/** `job` is null for a request that belongs to no job. */
type SignedRequest = { url: string; machineId: number; job: { id: string; sequence: number } | null; body: object }

/** Redirects are not followed, because the URL check does not cover their targets. */
export async function signRequest(
  { tokens }: Pick<ControllerContext, 'tokens'>,
  { url, machineId, job, body }: SignedRequest,
): Promise<Request> {
  const text = JSON.stringify(body)
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  const claims = {
    sub: job?.id ?? `machine:${machineId}`,
    machine: machineId,
    ...(job && { sequence: job.sequence }),
    jti: crypto.randomUUID(),
    body_sha256: Buffer.from(hash).toString('base64url'),
  }
  const headers = new Headers({
    'Content-Type': 'application/json',
    Accept: 'application/json',
    'User-Agent': 'Tiebar',
    Authorization: `Bearer ${await tokens.sign(claims, url, tokenSeconds)}`,
  })
  if (job) headers.set('Idempotency-Key', job.id)
  return new Request(url, { method: 'POST', headers, body: text, redirect: 'manual' })
}

/** @throws DOMException or TypeError if there is no answer */
export function send({ trace }: Pick<ControllerContext, 'trace'>, request: Request, signal: AbortSignal) {
  return trace.measure('controller', () => fetch(request, { signal }))
}

/** The body of the question whether a controller controls a machine. */
export type ConfirmRequest = { command: 'CONFIRM'; machine_id: number; owner: string; challenge: string }

/** `isFinal`: the controller refused. Otherwise it did not answer, and may confirm later. */
export type Confirmation = { confirmedAt: string } | { isFinal: boolean; detail: string }

export type MachineController = { machineId: number; owner: string; url: string }

/**
 * Asks the controller at `url` whether it controls the machine, and stores that it does.
 * Two round trips: the controller, then PostgreSQL.
 */
export async function confirmController(
  context: ControllerContext,
  { machineId, owner, url }: MachineController,
): Promise<Confirmation> {
  const fault = findControllerUrlFault(url, context.allowPrivateControllers)
  if (fault !== undefined) return { isFinal: true, detail: `the controller URL ${fault}` }
  const challenge = crypto.randomUUID()
  const body: ConfirmRequest = { command: 'CONFIRM', machine_id: machineId, owner, challenge }
  const request = await signRequest(context, { url, machineId, job: null, body })
  const signal = AbortSignal.timeout(controllerTimeoutMs)
  try {
    const response = await send(context, request, signal)
    const refusal = await findRefusal(response, machineId, challenge)
    if (refusal) return refusal
  } catch (error) {
    return { isFinal: false, detail: describeMissingAnswer(error, signal) }
  }
  const stored = await storeConfirmation(context.upstreams.database, machineId, url, normalizeControllerUrl(url))
  if (typeof stored === 'string') return { isFinal: true, detail: stored }
  const { upstreams, waitUntil } = context
  waitUntil(publishChanges({ cache: upstreams.cache, waitUntil }, [toMachineChange(stored.machine)]))
  return { confirmedAt: stored.confirmedAt }
}

async function findRefusal(
  response: Response,
  machineId: number,
  challenge: string,
): Promise<Confirmation | undefined> {
  const { status, ok } = response
  if (!ok && (await isRefusedByCloudflare(response))) return { isFinal: false, detail: refusedByCloudflare }
  if (!ok) return { isFinal: !mayAnswerLater(status), detail: `the controller answered ${status} to CONFIRM` }
  const answer = parseObject(await readBody(response))
  if (answer?.challenge === challenge && answer.machine_id === machineId) return undefined
  return {
    isFinal: true,
    detail: 'the controller answered CONFIRM without the machine_id and the challenge of the request',
  }
}

/** HTTP statuses after which the controller may still confirm the machine. */
function mayAnswerLater(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500
}

export const refusedByCloudflare = 'Cloudflare answered 403 in place of the controller'

/**
 * Whether a response that is not 2xx came from Cloudflare, which kept the request from the controller: a challenge of its
 * firewall, or its error 1003 (an IP address) or 1020 (a rule). Consumes the body.
 */
export async function isRefusedByCloudflare(response: Response): Promise<boolean> {
  const { status, headers } = response
  if (status !== 403 || headers.has('cf-mitigated')) {
    await response.body?.cancel()
    return status === 403
  }
  // A 403 whose body is lost or too large is the controller's.
  const body = await readBody(response).catch(() => '')
  const text = body.replace(/<[^<>]*>/g, ' ').trim()
  if (/^error code: (?:1003|1020)$/.test(text)) return true
  const isCloudflare = headers.get('Server') === 'cloudflare' || /cloudflare/i.test(body)
  return isCloudflare && /error[\W_]{0,3}(?:code)?[\W_]{0,20}(?:1003|1020)\b/i.test(text)
}

/** Why there is no answer. A refused and a broken connection look the same in the runtime. */
export function describeMissingAnswer(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return `no answer within ${controllerTimeoutMs / 1000} s`
  return `no connection: ${describeError(error).message}`
}

async function readBody(response: Response): Promise<string> {
  try {
    return new TextDecoder().decode(await readAtMost(response, maxAnswerBytes))
  } catch (error) {
    if (error instanceof TiebarError) return '' // larger than 64 KiB: not an answer to CONFIRM
    throw error
  }
}

function parseObject(text: string): { machine_id?: unknown; challenge?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
