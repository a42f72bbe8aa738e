// The scenario of `npm run demo`: requests that are printed with their answers, and checked.
import { setTimeout as delay } from 'node:timers/promises'
import type { Local } from './local.ts'
import { PlatformError } from './platform-error.ts'

const pollMs = 50
const longestJobMs = 60_000
const openStates = ['QUEUED', 'SENT', 'PENDING']

export type Body = Record<string, unknown>
type Answer = { status: number; body: Body }
export type Print = (text?: string) => void

export class Scenario {
  token: string | undefined
  readonly #local: Local
  readonly #stop: AbortSignal
  readonly #print: Print

  constructor(local: Local, stop: AbortSignal, print: Print) {
    this.#local = local
    this.#stop = stop
    this.#print = print
  }

  /** Sends a request, prints it with its answer and duration, and checks the status. */
  async ask(method: string, path: string, expected: number, body?: Body): Promise<Body> {
    const startedAt = performance.now()
    const answer = await this.#send(method, path, body)
    const took = `${(performance.now() - startedAt).toFixed(0)} ms`
    this.#print(`   → ${method} ${path}${body === undefined ? '' : ` ${JSON.stringify(hidePassword(body))}`}`)
    this.#print(`   ← ${answer.status} in ${took}  ${summarise(answer.body)}`)
    this.expect(`${method} ${path}`, answer.status, expected)
    return answer.body
  }

  /** Polls the job to its end and prints each state. Polling may miss a short state, but cannot change the order. */
  async watch(job: Body, expected: string[]): Promise<Body> {
    const startedAt = performance.now()
    const seen: string[] = []
    let now = job
    for (;;) {
      const state = String(now.state)
      if (seen.at(-1) !== state) {
        seen.push(state)
        const after = `${((performance.now() - startedAt) / 1_000).toFixed(2)} s`
        this.#print(`     ${after.padStart(8)}  ${state.padEnd(9)} ${describeOutcome(now)}`)
      }
      if (!openStates.includes(state)) break
      if (performance.now() - startedAt > longestJobMs) throw new PlatformError(`the job is still ${state}`)
      await delay(pollMs, undefined, { signal: this.#stop })
      now = (await this.#send('GET', `/api/jobs/${job.id}`)).body
    }
    const isInOrder = seen.every(
      (state, index) => index === 0 || expected.indexOf(state) > expected.indexOf(seen[index - 1] ?? ''),
    )
    this.expect('states', isInOrder && seen.at(-1) === expected.at(-1) ? expected : seen, expected)
    return now
  }

  async expectMachine({ id }: Body, status: string): Promise<void> {
    const { body } = await this.#send('GET', `/api/machines/${id}`)
    this.#print(`     the machine is ${body.status}`)
    this.expect('machine', body.status, status)
  }

  /** Waits until the machine is as expected. */
  async waitForMachine({ id }: Body, isExpected: (machine: Body) => boolean): Promise<Body> {
    const startedAt = performance.now()
    for (;;) {
      const { body } = await this.#send('GET', `/api/machines/${id}`)
      if (isExpected(body)) return body
      if (performance.now() - startedAt > longestJobMs)
        throw new PlatformError(`the machine is still ${JSON.stringify(body)}`)
      await delay(pollMs, undefined, { signal: this.#stop })
    }
  }

  expect(what: string, got: unknown, expected: unknown): void {
    if (JSON.stringify(got) === JSON.stringify(expected)) return
    throw new PlatformError(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`)
  }

  async #send(method: string, path: string, body?: Body): Promise<Answer> {
    const response = await fetch(`${this.#local.api}${path}`, {
      method,
      signal: this.#stop,
      headers: {
        ...(this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
  }
}

function hidePassword(body: Body): Body {
  return 'password' in body ? { ...body, password: '…' } : body
}

function describeOutcome({ result, reason, attempts, detail }: Body): string {
  const facts = [result, reason, Number(attempts) > 0 ? `attempt ${attempts}` : undefined, detail]
  return facts.filter((fact) => fact !== null && fact !== undefined).join(' · ')
}

/** The main content of an answer, on one line. */
function summarise(body: Body): string {
  if (Array.isArray(body.items)) return `${body.items.length} items`
  const user = body.user as Body | undefined // sign-up answers the account and its tokens
  if (user) return `account ${user.id} (${user.username})`
  if (typeof body.code === 'string') return `${body.code}: ${body.detail}`
  if (typeof body.command === 'string') return `job ${body.id} ${body.state}`
  if (Array.isArray(body.reasons)) return `may: ${body.may}  ${body.reasons.map(({ detail }) => detail).join(' ')}`
  if ('report_again_in_seconds' in body) return describeReport(body)
  if (typeof body.secret === 'string') return 'the key, whose secret is shown once'
  if (typeof body.reason === 'string') return `hold ${body.id}: ${body.reason}`
  return body.id === undefined ? '' : `machine ${body.id} ${body.status}`
}

function describeReport({ command, report_again_in_seconds }: Body): string {
  const fetched = command as Body | null
  const what = fetched ? `${fetched.command} of job ${fetched.job_id}` : 'no command'
  return `${what}; report again in ${report_again_in_seconds} s`
}
