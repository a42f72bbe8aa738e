// `workerd serve` on a built bundle: only the runtime, without a development server.
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { runtimeStandIns } from '../../src/env.ts'
import { holdPort } from '../platform/ports.ts'
import { cpuOfProcess, residentKibOf } from './processes.ts'

export type RunningWorkerd = {
  origin: string
  port: number
  /** CPU milliseconds of all its threads since the start. */
  cpuMs(): number
  /** The size of the process. */
  residentKib(): number
  close(): Promise<void>
}

/** Replaces the rate limit binding, which `workerd serve` does not have. It counts and never refuses. */
const rateLimit = `
export default function () {
  const counts = new Map()
  let began = 0
  return {
    async limit({ key }) {
      if (Date.now() - began > 10_000) { counts.clear(); began = Date.now() }
      counts.set(key, (counts.get(key) ?? 0) + 1)
      return { success: true }
    },
  }
}`

const text = (value: string) => JSON.stringify(value).replaceAll('\\u', '\\\\u') // capnp knows no \u

function describe(port: number, module: string, date: string, vars: Record<string, string>): string {
  const bindings = Object.entries(vars).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`)
  for (const name of Object.keys(runtimeStandIns)) {
    bindings.push(`(name = "${name}", wrapped = (moduleName = "bench:rate-limit"))`)
  }
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
  extensions = [(modules = [(name = "bench:rate-limit", internal = true, esModule = ${text(rateLimit)})])],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "${module}")],
  compatibilityDate = "${date}",
  compatibilityFlags = ["enable_request_signal"],
  bindings = [${bindings.join(', ')}],
  globalOutbound = "internet",
);
`
}

/**
 * Starts worker.js of a folder, and returns when it answers.
 * @param varsFor returns the variables for its origin
 * @throws Error with the output of the runtime when it does not start
 */
export async function serve(
  dir: string,
  compatibilityDate: string,
  varsFor: (origin: string) => Record<string, string>,
): Promise<RunningWorkerd> {
  const held = await holdPort(0)
  const { port } = held
  const origin = `http://127.0.0.1:${port}`
  const config = join(dir, `${port}.capnp`)
  await writeFile(config, describe(port, 'worker.js', compatibilityDate, varsFor(origin)))
  const binary: string = createRequire(createRequire(import.meta.url).resolve('miniflare'))('workerd').default
  await held.release()
  const child = spawn(binary, ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  let printed = ''
  child.stderr.on('data', (chunk: Buffer) => {
    printed = `${printed}${chunk}`.slice(-4_000)
  })
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  await untilItAnswers(origin, child, () => printed)
  return {
    origin,
    port,
    cpuMs: () => cpuOfProcess(child.pid ?? Number.NaN),
    residentKib: () => residentKibOf(child.pid ?? Number.NaN),
    async close() {
      process.removeListener('exit', end)
      const gone = new Promise((resolve) => child.once('exit', resolve))
      end()
      await gone
    },
  }
}

async function untilItAnswers(origin: string, child: ChildProcess, printed: () => string): Promise<void> {
  const givenUpAt = performance.now() + 20_000
  for (;;) {
    const isUp = await fetch(`${origin}/api/health`).then(
      (response) => response.ok,
      () => false,
    )
    if (isUp) return
    if (child.exitCode !== null || performance.now() > givenUpAt) throw new Error(`workerd: ${printed()}`)
    await delay(5)
  }
}
