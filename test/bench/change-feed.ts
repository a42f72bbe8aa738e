// Measures the change feed: 500 streams on one workerd, what each costs, and how soon each hears of a change.
import { setTimeout as delay } from 'node:timers/promises'
import { open } from '../platform/faults.ts'
import type { StandInRequest } from '../platform/http.ts'
import { type Servers, startPlatform } from './platform.ts'
import { type Scene, setScene } from './scene.ts'
import { percentile } from './statistics.ts'
import { serve } from './workerd.ts'

export type FeedFigures = {
  streams: number
  /** From the answer to a change, which comes after its commit, to its event on a stream; of all streams. */
  latency_p50_ms: number
  latency_p99_ms: number
  /** The growth of workerd, per stream. */
  memory_kib_per_stream: number
  /** CPU of workerd for one event on one stream; for a change on all streams, times their number. */
  cpu_ms_per_event: number
  /** After all clients have left: until no subscription is open. At most the 15 s until the next comment. */
  seconds_to_close: number
}

const streamCount = 500
const changeCount = 30
/** At a time: all at once would wait for each other longer than the Worker waits for Redis. */
const opened = 5

export async function measureFeed(dir: string, compatibilityDate: string, servers: Servers): Promise<FeedFigures> {
  let subscriptions = 0
  const countSubscription = ({ target, signal }: StandInRequest) => {
    if (!target.startsWith('/subscribe/')) return
    subscriptions += 1
    signal.addEventListener('abort', () => {
      subscriptions -= 1
    })
  }
  const platform = await startPlatform(servers, {
    redis: (call, forward) => {
      countSubscription(call)
      return open(call, forward)
    },
  })
  const worker = await serve(dir, compatibilityDate, platform.vars)
  try {
    const scene = await setScene(platform, worker.origin, 0, changeCount)
    const memoryBefore = worker.residentKib()
    const streams: Stream[] = []
    while (streams.length < streamCount) {
      const next = Array.from({ length: opened }, (_, index) => new Stream(worker.origin, scene, index))
      await Promise.all(next.map((stream) => stream.connected))
      streams.push(...next)
    }
    const memoryKib = worker.residentKib() - memoryBefore
    const cpuBefore = worker.cpuMs()
    const latencies: number[] = []
    for (const id of scene.machineIds) {
      const heard = Promise.all(streams.map((stream) => stream.hears(id)))
      await change(worker.origin, scene, id)
      const answeredAt = performance.now()
      latencies.push(...(await heard).map((at) => Math.max(0, at - answeredAt)))
    }
    const cpuMs = worker.cpuMs() - cpuBefore
    const leftAt = performance.now()
    for (const stream of streams) stream.close()
    while (subscriptions > 0) await delay(10)
    return {
      streams: streamCount,
      latency_p50_ms: percentile(latencies, 50),
      latency_p99_ms: percentile(latencies, 99),
      memory_kib_per_stream: memoryKib / streamCount,
      cpu_ms_per_event: cpuMs / (streamCount * changeCount),
      seconds_to_close: (performance.now() - leftAt) / 1_000,
    }
  } finally {
    await worker.close()
    await platform.close()
  }
}

async function change(origin: string, { accessTokens }: Scene, id: number): Promise<void> {
  const headers = { Authorization: `Bearer ${accessTokens[0]}`, 'Content-Type': 'application/json' }
  const body = JSON.stringify({ name: 'Changed' })
  const response = await fetch(`${origin}/api/machines/${id}`, { method: 'PATCH', headers, body })
  if (!response.ok) throw new Error(`PATCH answered ${response.status}: ${await response.text()}`)
  await response.body?.cancel()
}

class Stream {
  readonly connected: Promise<void>
  readonly #ending = new AbortController()
  #awaited: { text: string; resolve: (at: number) => void } | undefined

  constructor(origin: string, { accessTokens }: Scene, index: number) {
    this.connected = this.#connect(origin, accessTokens[index % accessTokens.length] ?? '')
  }

  /** When the event of this machine comes. */
  hears(machineId: number): Promise<number> {
    return new Promise((resolve) => {
      this.#awaited = { text: `"id":${machineId},`, resolve }
    })
  }

  close(): void {
    this.#ending.abort()
  }

  async #connect(origin: string, token: string): Promise<void> {
    const headers = { Authorization: `Bearer ${token}` }
    const response = await fetch(`${origin}/api/changes`, { headers, signal: this.#ending.signal })
    if (!response.ok || !response.body) throw new Error(`the feed answered ${response.status}`)
    const reader = response.body.getReader()
    await reader.read() // the comment with which it begins
    void this.#read(reader).catch(() => {}) // it ends with an abort
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      if (this.#awaited && decoder.decode(value).includes(this.#awaited.text)) {
        this.#awaited.resolve(performance.now())
        this.#awaited = undefined
      }
    }
  }
}
