// The whole of Tiebar on this machine: services, migrations, demo data, the Worker under `wrangler dev`, the sweep.
import { setTimeout as delay } from 'node:timers/promises'
import { migrate } from '../../src/tools/migrations.ts'
import { Cleanup } from './cleanup.ts'
import type { ControllerStandIn } from './controller.ts'
import { writeDevVars } from './dev-vars.ts'
import type { Exchange } from './http.ts'
import { loadSigningKeys } from './keys.ts'
import type { LocalFiles } from './local-files.ts'
import type { PostgresService, ProcessEnvironment } from './named-services.ts'
import { type Platform, type PlatformFile, startPlatform } from './platform.ts'
import { PlatformError } from './platform-error.ts'
import { type HeldPort, holdPort } from './ports.ts'
import { type Progress, silent } from './progress.ts'
import { demoAccounts, seedDemo, setDemoBehaviours, updateControllerUrls } from './seed.ts'
import { startSweep } from './sweep.ts'
import { makeWorkerVariables, type WorkerVariables } from './worker-variables.ts'
import { startWrangler } from './wrangler.ts'

export type LocalOptions = {
  /** Where everything is kept; made if missing, and locked. */
  dir: string
  /** The API's port; 0 is any free one. Absent: 8787, or the next free one. */
  port?: number
  /** Starts over: what earlier runs have made is removed. */
  fresh?: boolean
  env?: ProcessEnvironment
  progress?: Progress
  onExchange?: (exchange: Exchange) => void
  /** Ends the start, at any point of it. */
  signal?: AbortSignal
  /** Where to write the variables of the Worker for `npx wrangler dev`; nowhere unless given. */
  devVarsPath?: string
  /** Another Worker's configuration. */
  wranglerConfig?: string
}

export type Local = {
  /** Where the API answers: `http://127.0.0.1:PORT`. */
  api: string
  file: PlatformFile
  files: LocalFiles
  controller: ControllerStandIn
  /** Who can log in; nobody when no demo data was written. */
  accounts: readonly { username: string; password: string; isStaff: boolean }[]
  /** Resolves when the Worker has ended by itself, with why. */
  died: Promise<string>
  close(): Promise<void>
}

const sweepEveryMs = 10_000
const healthyWithinMs = 120_000
const healthPollMs = 100

/**
 * Resolves when the API answers.
 * @throws PlatformError for what the person at the keyboard can put right; `signal.reason` when aborted. What was
 *   started is ended first.
 */
export async function startLocal(options: LocalOptions): Promise<Local> {
  const { progress = silent, signal } = options
  const cleanup = new Cleanup()
  try {
    const port = await holdPort(options.port)
    cleanup.add(() => port.release())
    const api = `http://127.0.0.1:${port.port}`
    const platform = await startPlatform({ ...options, api })
    cleanup.add(() => platform.close())
    const accounts = await prepareDatabase(platform, progress, signal)
    signal?.throwIfAborted()
    const variables = await prepareVariables(platform, options)
    const wrangler = await progress.step(
      'wrangler dev',
      () => startWorker(options, platform, variables, port, cleanup),
      () => api,
    )
    const sweep = startSweep(api, sweepEveryMs, progress.say)
    cleanup.add(() => sweep.close())
    const { file, files, controller } = platform
    return { api, file, files, controller, accounts, died: wrangler.died, close: () => cleanup.run() }
  } catch (error) {
    await cleanup.run()
    throw error
  }
}

/** Migrations and, unless the database is on another machine, the demo data. @returns who can log in with the demo data */
export async function prepareDatabase(platform: Platform, progress: Progress, signal?: AbortSignal) {
  const { file, named, controller } = platform
  signal?.throwIfAborted()
  await progress.step(
    'migrations',
    () => migrate(file.postgres),
    (applied) => (applied.length > 0 ? `${applied.length} applied` : 'up to date'),
  )
  signal?.throwIfAborted()
  if (named.postgres && !isLoopback(named.postgres)) {
    progress.say(
      '  no demo data: its passwords are public, and the database named by DATABASE_URL is not on this machine',
    )
    return []
  }
  await progress.step(
    'demo data',
    async () => {
      const isNew = await seedDemo(file.postgres, controller.url)
      await updateControllerUrls(file.postgres, controller.url, named.postgres ? 'demo' : 'all')
      setDemoBehaviours(controller)
      return isNew
    },
    (isNew) => (isNew ? 'written' : 'kept'),
  )
  return demoAccounts
}

type VariableOptions = Pick<LocalOptions, 'devVarsPath' | 'env' | 'progress'>

/** @throws PlatformError naming the variables that the Worker would refuse */
export async function prepareVariables(
  { file, files }: Platform,
  { devVarsPath, env = process.env, progress = silent }: VariableOptions,
): Promise<WorkerVariables> {
  const variables = makeWorkerVariables(file, await loadSigningKeys(files.keys), env)
  if (devVarsPath !== undefined && !(await writeDevVars(devVarsPath, variables))) {
    progress.say(
      `  ${devVarsPath} was written by somebody else and stays as it is; without it, this run would write one`,
    )
  }
  return variables
}

function isLoopback({ fetch_endpoint }: PostgresService): boolean {
  const host = URL.parse(fetch_endpoint)?.hostname ?? ''
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}

async function startWorker(
  options: LocalOptions,
  platform: Platform,
  variables: WorkerVariables,
  port: HeldPort,
  cleanup: Cleanup,
) {
  const { progress = silent, signal, wranglerConfig } = options
  await port.release()
  const wrangler = await startWrangler({
    port: port.port,
    bindings: variables,
    files: platform.files,
    onError: (line) => progress.say(`wrangler │ ${line}`),
    ...(signal && { signal }),
    ...(wranglerConfig && { configPath: wranglerConfig }),
  })
  cleanup.add(() => wrangler.close())
  const unhealthy = await Promise.race([untilHealthy(platform.file.api, signal), wrangler.died])
  if (unhealthy !== undefined) throw new PlatformError(unhealthy)
  return wrangler
}

/** @returns why not, if it does not get there. @throws `signal.reason` when aborted */
async function untilHealthy(api: string, signal?: AbortSignal): Promise<string | undefined> {
  const givenUpAt = performance.now() + healthyWithinMs
  let last = 'nothing answered'
  while (performance.now() < givenUpAt) {
    signal?.throwIfAborted()
    const timeout = AbortSignal.timeout(healthyWithinMs)
    try {
      const response = await fetch(`${api}/api/health`, {
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      })
      last = `${response.status} ${(await response.text()).slice(0, 500)}`
      if (response.ok) return undefined
    } catch (error) {
      signal?.throwIfAborted()
      last = String(error)
    }
    await delay(healthPollMs)
  }
  return `GET ${api}/api/health did not get well in ${healthyWithinMs / 1_000} s; last: ${last}`
}
