// All of Tiebar on this machine: services, migrations, demo data, the Worker under `wrangler dev`, the sweep.
import { setTimeout as delay } from 'node:timers/promises'
import { updateDatabase } from '../../src/tools/migrations.ts'
import { setSessionDefaults } from '../../src/tools/session-defaults.ts'
import { Cleanup } from './cleanup.ts'
import { startGateway } from './controller/gateway.ts'
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
import { demoAccounts, pinMachines, prepareGateway, seedDemo, setDemoBehaviours, updateControllerUrls } from './seed.ts'
import { startSweep } from './sweep.ts'
import { makeWorkerVariables, type WorkerVariables } from './worker-variables.ts'
import { startWrangler } from './wrangler.ts'

export type LocalOptions = {
  /** The folder for all files; created if missing, and locked. */
  dir: string
  /** The API's port; 0 is any free one. By default 8787, or the next free one. */
  port?: number
  /** Deletes the files of earlier runs first. */
  fresh?: boolean
  env?: ProcessEnvironment
  progress?: Progress
  onExchange?: (exchange: Exchange) => void
  /** Stops the start. */
  signal?: AbortSignal
  /** The file for `npx wrangler dev` with the Worker's variables; by default none. */
  devVarsPath?: string
  /** The configuration of another Worker. */
  wranglerConfig?: string
}

export type Local = {
  /** The address of the API: `http://127.0.0.1:PORT`. */
  api: string
  file: PlatformFile
  files: LocalFiles
  controller: ControllerStandIn
  /** The accounts of the demo data; empty without demo data. */
  accounts: readonly { username: string; password: string; isStaff: boolean }[]
  /** Resolves when the Worker has exited unexpectedly, with the reason. */
  exited: Promise<string>
  close(): Promise<void>
}

const sweepEveryMs = 10_000
const healthyWithinMs = 120_000
const healthPollMs = 100

/**
 * Resolves when the API answers.
 * @throws PlatformError for what the user can correct; `signal.reason` when aborted. What was started is stopped first.
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
    if (accounts.length > 0) {
      const place = await prepareGateway(platform.file.postgres)
      const gateway = place && startGateway(api, place, progress.print)
      cleanup.add(async () => gateway?.close())
    }
    const sweep = startSweep(api, sweepEveryMs, progress.print)
    cleanup.add(() => sweep.close())
    const { file, files, controller } = platform
    return { api, file, files, controller, accounts, exited: wrangler.exited, close: () => cleanup.run() }
  } catch (error) {
    await cleanup.run()
    throw error
  }
}

/** Applies migrations and writes demo data, the latter not into a remote database. @returns the accounts of the demo data */
export async function prepareDatabase(platform: Platform, progress: Progress, signal?: AbortSignal) {
  const { file, named, controller } = platform
  signal?.throwIfAborted()
  await progress.step(
    'migrations',
    async () => {
      const applied = await updateDatabase(file.postgres)
      await setSessionDefaults(file.postgres)
      return applied
    },
    (applied) => (applied.length > 0 ? `${applied.length} applied` : 'up to date'),
  )
  signal?.throwIfAborted()
  if (named.postgres && !isLoopback(named.postgres)) {
    progress.print('  no demo data: its passwords are public, and the database of DATABASE_URL is not on this machine')
    return []
  }
  await progress.step(
    'demo data',
    async () => {
      const isNew = await seedDemo(file.postgres, controller.url)
      await updateControllerUrls(file.postgres, controller.url, named.postgres ? 'demo' : 'all')
      await pinMachines(file.postgres, controller)
      setDemoBehaviours(controller)
      return isNew
    },
    (isNew) => (isNew ? 'written' : 'kept'),
  )
  return demoAccounts
}

type VariableOptions = Pick<LocalOptions, 'devVarsPath' | 'env' | 'progress'>

/** @throws PlatformError with the names of invalid variables */
export async function prepareVariables(
  { file, files }: Platform,
  { devVarsPath, env = process.env, progress = silent }: VariableOptions,
): Promise<WorkerVariables> {
  const variables = makeWorkerVariables(file, await loadSigningKeys(files.keys), env)
  if (devVarsPath !== undefined && !(await writeDevVars(devVarsPath, variables))) {
    progress.print(
      `  ${devVarsPath} is not from an earlier run and is not changed. Delete it, and the next run writes one.`,
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
    onError: (line) => progress.print(`wrangler │ ${line}`),
    ...(signal && { signal }),
    ...(wranglerConfig && { configPath: wranglerConfig }),
  })
  cleanup.add(() => wrangler.close())
  const unhealthy = await Promise.race([untilHealthy(platform.file.api, signal), wrangler.exited])
  if (unhealthy !== undefined) throw new PlatformError(unhealthy)
  return wrangler
}

/** @returns the reason if the API does not become healthy. @throws `signal.reason` when aborted */
async function untilHealthy(api: string, signal?: AbortSignal): Promise<string | undefined> {
  const deadline = performance.now() + healthyWithinMs
  let last = 'nothing answered'
  while (performance.now() < deadline) {
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
  return `GET ${api}/api/health is not healthy after ${healthyWithinMs / 1_000} s. The last answer: ${last}`
}
