// Calls the Worker's scheduled handler, as Cloudflare's cron trigger does.
// https://developers.cloudflare.com/workers/runtime-apis/handlers/scheduled/
import { setTimeout as delay } from 'node:timers/promises'

export type Sweep = { close(): Promise<void> }

/** Calls in order, `everyMs` apart. An error is printed when it begins or changes, not each time. */
export function startSweep(api: string, everyMs: number, print: (text: string) => void): Sweep {
  const closing = new AbortController()
  const { signal } = closing
  const run = async () => {
    let lastFault: string | undefined
    while (await delay(everyMs, true, { signal }).catch(() => false)) {
      const fault = await callScheduled(api, signal)
      if (signal.aborted) return
      if (fault !== undefined && fault !== lastFault) print(`the sweep failed: ${fault}`)
      lastFault = fault
    }
  }
  const running = run()
  return {
    close() {
      closing.abort()
      return running
    },
  }
}

async function callScheduled(api: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const response = await fetch(`${api}/cdn-cgi/handler/scheduled`, { signal })
    await response.arrayBuffer()
    return response.ok ? undefined : `the scheduled handler answered ${response.status}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
