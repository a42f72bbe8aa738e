// The real Worker on workerd with the runtime's own network: connections that are cut and redirects reach it as they
// are. (Wrangler's test harness carries its calls through Node's fetch, which follows redirects and makes a 500 of a cut.)
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { convertV4MiniflareOptions, Miniflare, type MiniflareOptions } from 'miniflare'
import { buildWorker } from './build.ts'
import { readHeap } from './heap.ts'
import { holdPort } from './platform/ports.ts'

const name = 'tiebar'

export type RunningWorker = {
  origin: string
  /** Lets the cron run once. */
  scheduled(): Promise<void>
  /** What it printed, line by line. */
  lines(): string[]
  /** Starts anew at the same port with other variables. */
  restart(vars: Record<string, string>): Promise<void>
  /** Kills it in the middle of whatever it does (SIGKILL). `start` brings it back. */
  kill(): Promise<void>
  /** At the same port, with the same variables. */
  start(): Promise<void>
  /** Everything in it stands still (SIGSTOP) until the answer is called, and goes on as if nothing had been (SIGCONT). */
  freeze(): Promise<() => void>
  /** What is left when garbage is collected, and what the process occupies then, in MiB. Only where it can be inspected. */
  readMemory(): Promise<{ heapMiB: number; residentMiB: number }>
  close(): Promise<void>
}

export type WorkerOptions = {
  /** Requests of one account in 10 s, instead of what wrangler.toml says. */
  accountLimit?: number
  /** As it was deployed, or without the pages of the documentation. */
  hasAssets?: boolean
  /** Its heap can be looked at. */
  isInspected?: boolean
}

/** @param varsFor the variables, by the origin that it is going to have */
export async function startWorker(
  varsFor: (origin: string) => Record<string, string>,
  { accountLimit, hasAssets = true, isInspected = false }: WorkerOptions = {},
): Promise<RunningWorker> {
  const build = await buildWorker()
  const options = { ...build.options }
  if (!hasAssets) delete options.assets
  const lines: string[] = []
  const held = await holdPort(0)
  const { port } = held
  const origin = `http://127.0.0.1:${port}`
  const optionsWith = (bindings: Record<string, string>): MiniflareOptions =>
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port,
      cf: false,
      ...(isInspected && { inspectorPort: 0 }),
      unsafeTriggerHandlers: true,
      handleStructuredLogs: ({ message }) => lines.push(message),
      workers: [
        {
          ...options,
          name,
          rootPath: build.dir,
          modules: [{ type: 'ESModule', path: 'worker.js' }],
          modulesRules: undefined, // there is one module
          bindings,
          stripCfConnectingIp: false,
          ...(accountLimit !== undefined && {
            ratelimits: { ACCOUNT_RATE_LIMIT: limitBinding(accountLimit) },
          }),
        },
      ],
    })
  await held.release()
  let vars = varsFor(origin)
  let miniflare = new Miniflare(optionsWith(vars))
  await miniflare.ready
  return {
    origin,
    async scheduled() {
      const response = await fetch(`${origin}/cdn-cgi/local/scheduled?cron=*+*+*+*+*`)
      const outcome = await response.text()
      if (outcome !== 'ok') throw new Error(`the cron answered ${response.status}: ${outcome}`)
    },
    lines: () => lines,
    restart(others) {
      vars = others
      return miniflare.setOptions(optionsWith(vars))
    },
    kill: () => miniflare.dispose(),
    async start() {
      miniflare = new Miniflare(optionsWith(vars))
      await miniflare.ready
    },
    async freeze() {
      const { pid } = await findProcess(port)
      process.kill(pid, 'SIGSTOP')
      return () => {
        if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGCONT') // or it has been killed meanwhile
      }
    },
    async readMemory() {
      const heapMiB = await readHeap(await miniflare.getInspectorURL(), `core:user:${name}`, () =>
        fetch(`${origin}/api/health`),
      )
      return { heapMiB, residentMiB: (await findProcess(port)).residentMiB }
    },
    close: () => miniflare.dispose(),
  }
}

/** Miniflare does not tell workerd's process, but gives it the port in its arguments. (Linux, as CI is.) */
async function findProcess(port: number): Promise<{ pid: number; residentMiB: number }> {
  const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '') // it has ended
  for (const pid of await readdir('/proc')) {
    const args = /^\d+$/.test(pid) ? await read(pid, 'cmdline') : ''
    if (!args.split('\0').includes(`--socket-addr=entry=127.0.0.1:${port}`)) continue
    const residentKiB = /^VmRSS:\s+(\d+) kB$/m.exec(await read(pid, 'status'))?.[1]
    return { pid: Number(pid), residentMiB: Number(residentKiB) / 1_024 }
  }
  throw new Error(`no workerd listens on ${port}`)
}

function limitBinding(limit: number) {
  return { namespace_id: '1001', simple: { limit, period: 10 } } as const
}
