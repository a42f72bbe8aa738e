// One injection moulding machine of the controller stand-in: its state, its past answers, and how it handles a command.
import { setTimeout as delay } from 'node:timers/promises'
import type { StandInAnswer } from '../http.ts'
import { type Behaviour, type BehaviourOrder, type BehaviourQueue, queueBehaviours } from './behaviour.ts'
import { CommandLog, type ConfirmRequest, type ReceivedCommand } from './command.ts'
import { type Report, reportOutcome } from './report.ts'

export type MachineState = {
  name: string
  state: 'stopped' | 'heating' | 'running'
  /** The barrel's temperature, °C. */
  barrel_celsius: number
  /** The behaviour for the next command. */
  behaviour: Behaviour
}

type Answer = { result: 'SUCCESS' | 'REMOTEFAILED' | 'PENDING'; detail?: string | undefined }
type WarmUp = Extract<Behaviour, { mode: 'warm-up' }>

const keptAnswers = 10_000
const answerLifeMs = 24 * 3_600_000
const coldCelsius = 25
const mouldingCelsius = 220
const coolingMs = 600_000
const overLimitBytes = 64 * 1024

const notThisMachine: StandInAnswer = { status: 401, body: { error: 'this is another machine' } }

export class Machine {
  readonly log = new CommandLog()
  readonly #name: string
  readonly #url: string
  readonly #closed: AbortSignal
  #queue: BehaviourQueue = queueBehaviours({ mode: 'obey' })
  /** The id of this machine in Tiebar. */
  #machineId: number | undefined
  #highestSequence = 0
  #state: MachineState['state'] = 'stopped'
  #barrel = { from: coldCelsius, to: coldCelsius, since: 0, overMs: 0 }
  /** Aborts the command in progress. */
  #working: AbortController | undefined
  readonly #answers = new Map<string, { answer: Answer; at: number }>()
  readonly #reports = new Set<Promise<void>>()

  constructor(name: string, url: string, closed: AbortSignal) {
    this.#name = name
    this.#url = url
    this.#closed = closed
  }

  /** @throws z.ZodError for an invalid order */
  behave(order: BehaviourOrder): void {
    this.#queue = queueBehaviours(order)
  }

  /** Sets the id of this machine in Tiebar. Without this, it is the first one that Tiebar names. */
  pin(machineId: number): void {
    this.#machineId = machineId
  }

  /** Whatever the behaviour, the machine confirms its own id and no other. */
  confirm({ machine_id, challenge }: ConfirmRequest): StandInAnswer {
    this.#machineId ??= machine_id
    return this.#machineId === machine_id ? { body: { machine_id, challenge } } : notThisMachine
  }

  state(): MachineState {
    return {
      name: this.#name,
      state: this.#state,
      barrel_celsius: this.#celsius(),
      behaviour: this.#queue.current(),
    }
  }

  /** Resolves when no command and no report is in progress. */
  async settle(): Promise<void> {
    await Promise.all(this.#reports)
  }

  /**
   * Faults of the connection come first: an unavailable machine does not answer a repeated command either. The machine's own
   * answers are kept by idempotency key.
   */
  async receive(received: ReceivedCommand, clientLeft: AbortSignal): Promise<StandInAnswer> {
    this.#machineId ??= received.machine_id
    if (this.#machineId !== received.machine_id) return notThisMachine
    this.log.add(received)
    const behaviour = this.#queue.next(received.command)
    switch (behaviour.mode) {
      case 'fail':
        return { status: behaviour.status, body: behaviour.body, headers: behaviour.headers ?? {} }
      case 'garbage':
        return { headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<!doctype html><title>Log in</title>' }
      case 'away':
        return { cut: true }
      case 'hang':
        if (!clientLeft.aborted) await new Promise((resolve) => clientLeft.addEventListener('abort', resolve))
        return { cut: true }
      case 'redirect':
        return { status: behaviour.status, headers: { location: behaviour.location ?? `${this.#url}-elsewhere` } }
      case 'huge':
        return { body: { result: 'SUCCESS', detail: 'x'.repeat(overLimitBytes) } }
      case 'act-then-die':
        this.#decide(received, behaviour)
        return { cut: true }
      case 'slow': {
        const answer = this.#decide(received, behaviour)
        await delay(behaviour.after_ms, undefined, { signal: clientLeft }).catch(() => undefined)
        return { body: answer }
      }
      default:
        return { body: this.#decide(received, behaviour) }
    }
  }

  #decide(received: ReceivedCommand, behaviour: Behaviour): Answer {
    const known = this.#answers.get(received.idempotency_key)
    if (known !== undefined && Date.now() - known.at < answerLifeMs) return known.answer
    const answer = this.#act(received, behaviour)
    this.#answers.delete(received.idempotency_key)
    this.#answers.set(received.idempotency_key, { answer, at: Date.now() })
    const oldest = this.#answers.size > keptAnswers ? this.#answers.keys().next().value : undefined
    if (oldest !== undefined) this.#answers.delete(oldest)
    return answer
  }

  #act(received: ReceivedCommand, behaviour: Behaviour): Answer {
    if (received.sequence < this.#highestSequence)
      return { result: 'REMOTEFAILED', detail: 'a later command was received' }
    this.#highestSequence = received.sequence
    if (behaviour.mode === 'refuse') return { result: 'REMOTEFAILED', detail: behaviour.detail }
    this.#working?.abort()
    this.#working = undefined
    if (behaviour.mode === 'warm-up') {
      const report = this.#warmUp(received, behaviour).finally(() => this.#reports.delete(report))
      this.#reports.add(report)
      return { result: 'PENDING' }
    }
    this.#carryOut(received)
    return { result: 'SUCCESS', detail: behaviour.mode === 'obey' ? behaviour.detail : undefined }
  }

  #carryOut(received: ReceivedCommand): void {
    if (received.command === 'START') this.#enter('running', 0)
    else this.#enter('stopped', coolingMs)
    received.done = true
    this.log.changed()
  }

  /** Works for some time, then reports. Another command ends it early. */
  async #warmUp(received: ReceivedCommand, how: WarmUp): Promise<void> {
    const working = new AbortController()
    this.#working = working
    if (received.command === 'START') this.#enter('heating', how.after_ms)
    const signal = AbortSignal.any([this.#closed, working.signal])
    await delay(how.after_ms, undefined, { signal }).catch(() => undefined)
    if (this.#closed.aborted) return
    let report: Report = { result: 'REMOTEFAILED', detail: 'another command arrived' }
    if (!working.signal.aborted) {
      this.#working = undefined
      report = { result: how.result, detail: how.detail }
      if (how.result === 'SUCCESS') this.#carryOut(received)
      else if (received.command === 'START') this.#enter('stopped', coolingMs)
    }
    await reportOutcome(report, {
      outcomeUrl: received.outcome_url,
      outcomeToken: received.outcome_token,
      retryMs: how.report_retry_ms,
      signal: this.#closed,
      onTry: (status) => {
        received.reports.push({ at: new Date().toISOString(), result: report.result, status })
        this.log.changed()
      },
    })
  }

  #enter(state: MachineState['state'], overMs: number): void {
    const to = state === 'stopped' ? coldCelsius : mouldingCelsius
    this.#barrel = { from: this.#celsius(), to, since: Date.now(), overMs }
    this.#state = state
  }

  #celsius(): number {
    const { from, to, since, overMs } = this.#barrel
    const share = overMs === 0 ? 1 : Math.min(1, (Date.now() - since) / overMs)
    return Math.round((from + (to - from) * share) * 10) / 10
  }
}
