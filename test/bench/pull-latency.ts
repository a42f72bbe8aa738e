// Measures how long a command takes to a machine that fetches it: a hundred machines report every 10 s, each is started at a
// random time, and stopped while it is starting.
import { setTimeout as delay } from 'node:timers/promises'
import { type Servers, startPlatform } from './platform.ts'
import { type Scene, setScene } from './scene.ts'
import { percentile } from './statistics.ts'
import { serve } from './workerd.ts'

export type PullFigures = {
  /** From the answer 202 to the command in the answer to a report; at most the interval of 10 s and 1 s. */
  start_p50_ms: number
  start_p99_ms: number
  /** The same for a STOP while a job is open; at most 2 s and 1 s. */
  stop_p99_ms: number
  /** The same for machines whose answers are held (`?wait=25`). */
  held_start_p99_ms: number
}

const machineCount = 100
const intervalMs = 10_000
/** How long the machine takes to start: the job is open for so long. */
const startingMs = 4_000

export async function measurePull(dir: string, compatibilityDate: string, servers: Servers): Promise<PullFigures> {
  const platform = await startPlatform(servers)
  const worker = await serve(dir, compatibilityDate, platform.vars)
  try {
    const scene = await setScene(platform, worker.origin, 0, 2 * machineCount)
    // The key of the scene becomes that of the site of all machines, which are then pulled.
    const [site] = await platform.postgres.query(
      `INSERT INTO sites (name, created_by) VALUES ('bench', $1) RETURNING id`,
      [scene.caller.accountId],
    )
    await platform.postgres.query('UPDATE machines SET controller_url = NULL, site_id = $1', [site?.id])
    await platform.postgres.query('UPDATE keys SET site_id = $1', [site?.id])
    const run = async (ids: number[], query: string) => {
      const machines = ids.map((id) => new Machine(worker.origin, scene, id, query))
      const times = await Promise.all(machines.map((machine) => machine.startAndStop()))
      await Promise.all(machines.map((machine) => machine.end()))
      return times
    }
    const polled = await run(scene.machineIds.slice(0, machineCount), '')
    const held = await run(scene.machineIds.slice(machineCount), '?wait=25')
    const startsMs = polled.map(({ startMs }) => startMs)
    return {
      start_p50_ms: percentile(startsMs, 50),
      start_p99_ms: percentile(startsMs, 99),
      stop_p99_ms: percentile(
        polled.map(({ stopMs }) => stopMs),
        99,
      ),
      held_start_p99_ms: percentile(
        held.map(({ startMs }) => startMs),
        99,
      ),
    }
  } finally {
    await worker.close()
    await platform.close()
  }
}

type Command = { job_id: string; command: 'START' | 'STOP' }

class Machine {
  readonly #origin: string
  readonly #scene: Scene
  readonly #id: number
  readonly #query: string
  readonly #ending = new AbortController()
  readonly #arrivals = new Map<string, number>()
  #outcome: object | undefined
  #arrived = () => {}
  #ended: Promise<void> | undefined

  constructor(origin: string, scene: Scene, id: number, query: string) {
    this.#origin = origin
    this.#scene = scene
    this.#id = id
    this.#query = query
  }

  async startAndStop(): Promise<{ startMs: number; stopMs: number }> {
    await delay(Math.random() * intervalMs)
    this.#ended = this.#keepReporting()
    await delay(Math.random() * intervalMs)
    const startMs = await this.#command('START')
    await delay(Math.random() * (startingMs / 2))
    return { startMs, stopMs: await this.#command('STOP') }
  }

  async end(): Promise<void> {
    this.#ending.abort()
    await this.#ended
  }

  /** @returns how long after its acceptance the command was fetched */
  async #command(command: Command['command']): Promise<number> {
    const { id } = await this.#post('operation', this.#scene.accessTokens[0] ?? '', { command })
    const acceptedAt = performance.now()
    while (!this.#arrivals.has(id)) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve
      })
    }
    return Math.max(0, (this.#arrivals.get(id) ?? 0) - acceptedAt)
  }

  async #keepReporting(): Promise<void> {
    for (let seq = 1; !this.#ending.signal.aborted; seq += 1) {
      const outcome = this.#outcome
      const report = { boot_id: 'bench', seq, status: 'READY', interval_seconds: intervalMs / 1_000, outcome }
      const answer = await this.#post(`reports${this.#query}`, this.#scene.key.secret, report)
      if (this.#outcome === outcome) this.#outcome = undefined
      const command: Command | null = answer.command
      if (command) {
        this.#arrivals.set(command.job_id, performance.now())
        this.#arrived()
        const result = command.command === 'START' ? 'PENDING' : 'SUCCESS'
        this.#outcome = { job_id: command.job_id, result }
      }
      const seconds = this.#outcome ? 0 : answer.report_again_in_seconds
      await delay(seconds * 1_000, undefined, { signal: this.#ending.signal }).catch(() => {})
    }
  }

  async #post(path: string, token: string, body: object) {
    const answer = await fetch(`${this.#origin}/api/machines/${this.#id}/${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${text}`)
    return JSON.parse(text)
  }
}
