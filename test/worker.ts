// The real Worker on workerd with the runtime's own network, so that cut connections and redirects reach it unchanged.
// (Wrangler's test harness sends its calls through Node's fetch, which follows redirects and turns a cut into a 500.)
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { convertV4MiniflareOptions, Miniflare, type MiniflareOptions } from 'miniflare'
import { buildWorker } from './build.ts'
import { readHeap } from './heap.ts'
import { holdPort } from './platform/ports.ts'

const name = 'tiebar'

export type RunningWorker = {
  origin: string
  /** Runs the cron once. */
  scheduled(): Promise<void>
  /** Its output, line by line. */
  lines(): string[]
  /** Restarts at the same port with other variables. */
  restart(vars: Record<string, string>): Promise<void>
  /** Kills it immediately (SIGKILL). `start` starts it again. */
  kill(): Promise<void>
  /** At the same port, with the same variables. */
  start(): Promise<void>
  /** Pauses the process (SIGSTOP). The returned function resumes it (SIGCONT). */
  freeze(): Promise<() => void>
  /** The heap and the process size after a garbage collection, in MiB. Needs `isInspected`. */
  readMemory(): Promise<{ heapMiB: number; residentMiB: number }>
  /** The size of the process, with Miniflare's own workers, as it is. */
  readResidentMiB(): Promise<number>
  close(): Promise<void>
}

export type WorkerOptions = {
  /** Requests of one session in 10 s, instead of the limit in wrangler.toml. */
  requestLimit?: number
  /** Log-ins of one address in 60 s; by default as good as none, because all tests share one address. */
  signInLimit?: number
  /** Streams of one session in 60 s; by default as good as none. */
  streamLimit?: number
  /** With or without the pages of the documentation. */
  hasAssets?: boolean
  /** Enables the inspector, to read the heap. */
  isInspected?: boolean
}

/** @param varsFor returns the variables for its origin */
export async function startWorker(
  varsFor: (origin: string) => Record<string, string>,
  {
    requestLimit = 1_000,
    signInLimit = 1_000_000,
    streamLimit = 1_000_000,
    hasAssets = true,
    isInspected = false,
  }: WorkerOptions = {},
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
          modulesRules: undefined, // the bundle is one module
          bindings,
          stripCfConnectingIp: false,
          ratelimits: {
            REQUEST_RATE_LIMIT: limitBinding('1001', requestLimit, 10),
            SIGN_IN_RATE_LIMIT: limitBinding('2001', signInLimit, 60),
            STREAM_RATE_LIMIT: limitBinding('3001', streamLimit, 60),
          },
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
        if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGCONT') // it may have been killed
      }
    },
    async readMemory() {
      const heapMiB = await readHeap(await miniflare.getInspectorURL(), `core:user:${name}`, () =>
        fetch(`${origin}/api/health`),
      )
      return { heapMiB, residentMiB: (await findProcess(port)).residentMiB }
    },
    readResidentMiB: async () => (await findProcess(port)).residentMiB,
    close: () => miniflare.dispose(),
  }
}

/** Miniflare does not expose the process id of workerd, so it is found by the port in its arguments (Linux only). */
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

function limitBinding(namespace_id: string, limit: number, period: 10 | 60) {
  return { namespace_id, simple: { limit, period } }
}
