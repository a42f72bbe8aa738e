// The real Worker on workerd with the runtime's own network: connections that are cut and redirects reach it as they
// are. (Wrangler's test harness carries its calls through Node's fetch, which follows redirects and makes a 500 of a cut.)
import { unstable_startWorker } from 'wrangler'
import { holdPort } from './platform/ports.ts'

export type RunningWorker = {
  origin: string
  /** Lets the cron run once. */
  scheduled(): Promise<void>
  /** What it printed, line by line. */
  lines(): string[]
  /** Starts anew at the same port with other variables. */
  restart(vars: Record<string, string>): Promise<void>
  close(): Promise<void>
}

export type WorkerOptions = {
  /** Requests of one account in 10 s, instead of what wrangler.toml says. */
  accountLimit?: number
}

/** @param varsFor the variables, by the origin that it is going to have */
export async function startWorker(
  varsFor: (origin: string) => Record<string, string>,
  { accountLimit }: WorkerOptions = {},
): Promise<RunningWorker> {
  const held = await holdPort(0)
  const { port } = held
  const origin = `http://127.0.0.1:${port}`
  await held.release()
  const lines: string[] = []
  let worker = await run(port, varsFor(origin), lines, accountLimit)
  return {
    origin,
    async scheduled() {
      const response = await fetch(`${origin}/cdn-cgi/handler/scheduled?cron=*+*+*+*+*`)
      const outcome = await response.text()
      if (outcome !== 'ok') throw new Error(`the cron answered ${response.status}: ${outcome}`)
    },
    lines: () => lines,
    async restart(vars) {
      await worker.dispose()
      worker = await run(port, vars, lines, accountLimit)
    },
    close: () => worker.dispose(),
  }
}

async function run(port: number, vars: Record<string, string>, lines: string[], accountLimit?: number) {
  const bindings = Object.entries(vars).map(([name, value]) => [name, { type: 'plain_text', value }] as const)
  const worker = await unstable_startWorker({
    config: 'wrangler.toml',
    bindings: {
      ...Object.fromEntries(bindings),
      ...(accountLimit !== undefined && { ACCOUNT_RATE_LIMIT: limitBinding(accountLimit) }),
    },
    dev: {
      server: { hostname: '127.0.0.1', port },
      logLevel: 'none',
      watch: false,
      persist: false,
      inspector: false,
      structuredLogsHandler: ({ message }: { message: string }) => lines.push(message),
    },
  })
  await worker.ready
  return worker
}

function limitBinding(limit: number) {
  return { type: 'ratelimit', namespace_id: '1001', simple: { limit, period: 10 } } as const
}
