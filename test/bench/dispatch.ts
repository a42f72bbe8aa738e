// Measures the time from the acceptance of a START to its arrival at the controller, also without the upstreams' time.

import { startController } from '../platform/controller.ts'
import type { Exchange } from '../platform/http.ts'
import { type Servers, startPlatform } from './platform.ts'
import { setScene } from './scene.ts'
import { median } from './statistics.ts'
import { serve } from './workerd.ts'

export type DispatchFigures = {
  /** From the answer 202 to the command at the controller. */
  p50_ms: number
  /** The same without the time of the upstreams. */
  p50_over_upstreams_ms: number
}

const jobs = 31

export async function measureDispatch(
  dir: string,
  compatibilityDate: string,
  servers: Servers,
): Promise<DispatchFigures> {
  const platform = await startPlatform(servers, { delivers: true })
  let arrived = (_at: number) => {}
  const controller = await startController({ onExchange: ({ startedAt }) => arrived(startedAt) })
  const worker = await serve(dir, compatibilityDate, platform.vars)
  try {
    const { accessTokens, machineIds } = await setScene(platform, worker.origin, 0)
    await platform.postgres.query(`UPDATE machines SET controller_url = $1 || '/machines/' || id`, [controller.url])
    const waits: { whole: number; rest: number }[] = []
    for (const id of machineIds.slice(0, jobs)) {
      platform.record(true)
      const command = new Promise<number>((resolve) => {
        arrived = resolve
      })
      const response = await fetch(`${worker.origin}/api/machines/${id}/operation`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${accessTokens[0]}`, 'Content-Type': 'application/json' },
        body: '{"command":"START"}',
      })
      const acceptedAt = performance.now()
      if (response.status !== 202) throw new Error(`START answered ${response.status}: ${await response.text()}`)
      const commandAt = await command
      const whole = Math.max(0, commandAt - acceptedAt)
      waits.push({ whole, rest: Math.max(0, whole - busyTime(platform.exchanges, acceptedAt, commandAt)) })
    }
    return {
      p50_ms: median(waits.map(({ whole }) => whole)),
      p50_over_upstreams_ms: median(waits.map(({ rest }) => rest)),
    }
  } finally {
    await worker.close()
    await controller.close()
    await platform.close()
  }
}

/** The part of the interval in which at least one exchange was in progress. */
function busyTime(exchanges: Exchange[], from: number, to: number): number {
  let covered = from
  let busy = 0
  for (const { startedAt, endedAt } of exchanges.toSorted((one, other) => one.startedAt - other.startedAt)) {
    const begin = Math.max(startedAt, covered)
    const end = Math.min(endedAt, to)
    if (end <= begin) continue
    busy += end - begin
    covered = end
  }
  return busy
}
