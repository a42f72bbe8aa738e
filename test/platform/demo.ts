// `npm run demo`: everything on free ports, and the story of one machine told over HTTP. Any surprise ends it with what
// was expected and what came.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Local, startLocal } from './local.ts'
import { PlatformError } from './platform-error.ts'
import { writeProgressTo } from './progress.ts'

const pollMs = 50
const longestJobMs = 60_000
const openStates = ['QUEUED', 'SENT', 'PENDING']

type Body = Record<string, unknown>
type Told = { status: number; body: Body }
type Say = (text?: string) => void

/** Returns when the story has been told and everything has ended. @throws PlatformError for any surprise */
export async function runDemo({ stop }: { stop: AbortSignal }): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'tiebar-demo-'))
  const say: Say = (text = '') => process.stdout.write(`${text}\n`)
  try {
    const local = await startLocal({ dir, port: 0, signal: stop, progress: writeProgressTo(process.stdout) })
    try {
      const startedAt = performance.now()
      const story = new Story(local, stop, say)
      await Promise.race([tell(story, local, say), local.died.then((why) => Promise.reject(new PlatformError(why)))])
      say(`\nThe story took ${((performance.now() - startedAt) / 1_000).toFixed(1)} s. Everything is being ended.`)
    } finally {
      await local.close()
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function tell(story: Story, { controller }: Local, say: Say): Promise<void> {
  controller.machine('press-1').behave({ mode: 'warm-up', after_ms: 1_500, only: 'START', detail: 'barrel at 220 °C' })
  controller.machine('press-2').behave({ mode: 'away' })

  say('\n1. A person signs up.')
  const name = `minji-${Date.now().toString(36)}`
  const joined = await story.ask('POST', '/api/sign-up', 201, {
    username: name,
    password: 'tie-bar-spacing-470',
    email: `${name}@example.com`,
    first_name: '민지',
    last_name: '김',
  })
  story.token = String((joined.token as Body).access)

  say('\n2. She registers an injection moulding machine, at the address of its controller.')
  const press = await story.ask('POST', '/api/machines', 201, {
    name: '사출기 7호 LS Mtron WIZ 220E',
    location: '1공장 A열 7번',
    controller_url: controller.machine('press-1').url,
  })

  say('\n3. START. The answer is a job; only the job tells what the machine did. This one has to warm up first.')
  const start = await story.ask('POST', `/api/machines/${press.id}/operation`, 202, { command: 'START' })
  await story.watch(start, ['QUEUED', 'SENT', 'PENDING', 'SUCCEEDED'])
  await story.expectMachine(press, 'RUNNING')

  say('\n4. A second START is refused: the machine is running.')
  const refusal = await story.ask('POST', `/api/machines/${press.id}/operation`, 409, { command: 'START' })
  story.expect('code', refusal.code, 'wrong_state')

  say('\n5. STOP.')
  const stop = await story.ask('POST', `/api/machines/${press.id}/operation`, 202, { command: 'STOP' })
  await story.watch(stop, ['QUEUED', 'SENT', 'SUCCEEDED'])
  await story.expectMachine(press, 'READY')

  say('\n6. The history of the machine, newest first.')
  const history = await story.ask('GET', `/api/machines/${press.id}/history`, 200)
  const jobs = history.items as Body[]
  for (const { command, state, result, requested_at } of jobs) {
    say(`     ${requested_at}  ${String(command).padEnd(5)} ${state} (${result})`)
  }
  const told = jobs.map(({ command, state }) => `${command} ${state}`)
  story.expect('history', told, ['STOP SUCCEEDED', 'START REJECTED', 'START SUCCEEDED'])

  say('\n7. A machine whose controller is dead: tried four times, 1, 2 and 4 s apart, and then told as it is.')
  const dead = await story.ask('POST', '/api/machines', 201, {
    name: '사출기 8호',
    location: '1공장 A열 8번',
    controller_url: controller.machine('press-2').url,
  })
  const lost = await story.ask('POST', `/api/machines/${dead.id}/operation`, 202, { command: 'START' })
  const end = await story.watch(lost, ['QUEUED', 'SENT', 'FAILED'])
  story.expect('attempts', end.attempts, 4)
  story.expect('reason', end.reason, 'outcome_unknown')
  await story.expectMachine(dead, 'ERROR')

  say('\n8. She signs out, and her token is worth nothing from that moment.')
  await story.ask('POST', '/api/log-out', 204)
  await story.ask('GET', '/api/me', 401)
}

class Story {
  token: string | undefined
  readonly #local: Local
  readonly #stop: AbortSignal
  readonly #say: Say

  constructor(local: Local, stop: AbortSignal, say: Say) {
    this.#local = local
    this.#stop = stop
    this.#say = say
  }

  /** Sends a request and tells what was asked, what came back and how long it took. */
  async ask(method: string, path: string, expected: number, body?: Body): Promise<Body> {
    const startedAt = performance.now()
    const told = await this.#send(method, path, body)
    const took = `${(performance.now() - startedAt).toFixed(0)} ms`
    this.#say(`   → ${method} ${path}${body === undefined ? '' : ` ${JSON.stringify(conceal(body))}`}`)
    this.#say(`   ← ${told.status} in ${took}  ${summarise(told.body)}`)
    this.expect(`${method} ${path}`, told.status, expected)
    return told.body
  }

  /** Polls the job to its end and tells each state as it comes. A poll may miss a short state, but not reorder them. */
  async watch(job: Body, expected: string[]): Promise<Body> {
    const startedAt = performance.now()
    const seen: string[] = []
    let now = job
    for (;;) {
      const state = String(now.state)
      if (seen.at(-1) !== state) {
        seen.push(state)
        const after = `${((performance.now() - startedAt) / 1_000).toFixed(2)} s`
        this.#say(`     ${after.padStart(8)}  ${state.padEnd(9)} ${describeOutcome(now)}`)
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
    this.#say(`     the machine is ${body.status}`)
    this.expect('machine', body.status, status)
  }

  expect(what: string, got: unknown, expected: unknown): void {
    if (JSON.stringify(got) === JSON.stringify(expected)) return
    throw new PlatformError(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`)
  }

  async #send(method: string, path: string, body?: Body): Promise<Told> {
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

function conceal(body: Body): Body {
  return 'password' in body ? { ...body, password: '…' } : body
}

function describeOutcome({ result, reason, attempts, detail }: Body): string {
  const facts = [result, reason, Number(attempts) > 0 ? `attempt ${attempts}` : undefined, detail]
  return facts.filter((fact) => fact !== null && fact !== undefined).join(' · ')
}

/** What a person wants to see of an answer, on one line. */
function summarise(body: Body): string {
  if (Array.isArray(body.items)) return `${body.items.length} items`
  const user = body.user as Body | undefined // sign-up answers the account and its tokens
  if (user) return `account ${user.id} (${user.username})`
  if (typeof body.code === 'string') return `${body.code}: ${body.detail}`
  if (typeof body.command === 'string') return `job ${body.id} ${body.state}`
  return body.id === undefined ? '' : `machine ${body.id} ${body.status}`
}
