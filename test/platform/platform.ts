// The services that the Worker needs: a stand-in for each one that the environment does not configure, and platform.json with
// all addresses.
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Cleanup } from './cleanup.ts'
import { type ControlTargets, startControl } from './control.ts'
import { type ControllerStandIn, startController } from './controller.ts'
import { type CallFaults, open } from './faults.ts'
import type { Exchange, StandInOptions } from './http.ts'
import { type LocalFiles, nameLocalFiles, removeLocalFiles, writeJson } from './local-files.ts'
import { takeLock } from './lock.ts'
import {
  type NamedServices,
  type PostgresService,
  type ProcessEnvironment,
  type QStashService,
  type RedisService,
  readNamedServices,
} from './named-services.ts'
import { startPostgres } from './postgres.ts'
import { type Progress, silent } from './progress.ts'
import type { DeliveryFaults } from './qstash/delivery-loop.ts'
import { startQStash } from './qstash.ts'
import { startRedis } from './redis.ts'

/** The content of `platform.json`. `api` is the address of the API, which may not be started yet. */
export type PlatformFile = {
  api: string
  postgres: PostgresService
  redis: RedisService
  qstash: QStashService
  controller: string
  /** The address of the control port. */
  control: string
}

export type PlatformOptions = {
  /** The folder for all files; created if missing, and locked. */
  dir: string
  /** The address that the API will have. */
  api: string
  /** Deletes the files of earlier runs first. Services that the environment configures are not changed. */
  fresh?: boolean
  env?: ProcessEnvironment
  progress?: Progress
  onExchange?: (exchange: Exchange) => void
  /** Stops the start between two steps. */
  signal?: AbortSignal
}

export type Platform = {
  file: PlatformFile
  files: LocalFiles
  /** The services that the environment configures. */
  named: NamedServices
  controller: ControllerStandIn
  close(): Promise<void>
}

/** @throws PlatformError if the folder is in use, or a service is configured in part. What was started is stopped. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { env = process.env, progress = silent } = options
  const named = readNamedServices(env)
  const files = nameLocalFiles(resolve(options.dir))
  const cleanup = new Cleanup()
  try {
    const lock = await takeLock(files.dir)
    cleanup.add(() => lock.release())
    if (options.fresh)
      await progress.step(
        'fresh start',
        () => removeLocalFiles(files),
        () => files.dir,
      )
    const targets: StartContext['targets'] = { calls: new Map() }
    const context: StartContext = { ...options, env, progress, files, cleanup, targets }
    const postgres = named.postgres ?? (await startPostgresStandIn(context))
    const redis = named.redis ?? (await startRedisStandIn(context))
    const qstash = named.qstash ?? (await startQStashStandIn(context))
    const startVerifying = (standIn: StandInOptions) => startController({ ...standIn, tiebarUrl: options.api })
    const controller = await start(context, 'machine controller', 'controller', startVerifying, ({ url }) => url)
    const control = await startControl(targets)
    cleanup.add(() => control.close())
    const file = { api: options.api, postgres, redis, qstash, controller: controller.url, control: control.url }
    cleanup.add(() => rm(files.platform, { force: true }))
    await writeJson(files.platform, file)
    return { file, files, named, controller, close: () => cleanup.run() }
  } catch (error) {
    await cleanup.run()
    throw error
  }
}

type StartContext = PlatformOptions & {
  env: ProcessEnvironment
  progress: Progress
  files: LocalFiles
  cleanup: Cleanup
  targets: ControlTargets & { calls: Map<string, CallFaults> }
}

/** @param name its name at the control port */
async function start<Service extends { close(): Promise<void> }>(
  { signal, progress, cleanup, targets, onExchange }: StartContext,
  title: string,
  name: string,
  startService: (options: StandInOptions) => Promise<Service>,
  note: (service: Service) => string,
): Promise<Service> {
  signal?.throwIfAborted()
  const faults: CallFaults = { pass: open }
  const options = { faults, ...(onExchange && { onExchange }) }
  const service = await progress.step(title, () => startService(options), note)
  targets.calls.set(name, faults)
  cleanup.add(() => service.close())
  return service
}

async function startPostgresStandIn(context: StartContext): Promise<PostgresService> {
  const serverUrl = context.env.LOCAL_POSTGRES_URL
  const where = serverUrl
    ? { serverUrl, database: `tiebar_${hashOfFolder(context.files)}` }
    : { dataDir: context.files.postgres }
  const postgres = await start(
    context,
    'PostgreSQL',
    'postgres',
    (options) => startPostgres({ ...options, ...where }),
    ({ fetchEndpoint }) => `${fetchEndpoint} (${serverUrl ? 'LOCAL_POSTGRES_URL' : 'PGlite'})`,
  )
  if (serverUrl && context.fresh) {
    await postgres.query('DROP SCHEMA IF EXISTS drizzle CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  }
  return { database_url: postgres.databaseUrl, fetch_endpoint: postgres.fetchEndpoint }
}

async function startRedisStandIn(context: StartContext): Promise<RedisService> {
  const serverUrl = context.env.LOCAL_REDIS_URL
  const where = serverUrl ? { serverUrl, keyPrefix: `tiebar:${hashOfFolder(context.files)}:` } : {}
  const redis = await start(
    context,
    'Redis',
    'redis',
    (options) => startRedis({ ...options, ...where }),
    ({ url }) => `${url} (${serverUrl ? 'LOCAL_REDIS_URL' : 'in this process'})`,
  )
  // It deletes only keys with the prefix.
  if (serverUrl && context.fresh) await redis.command('FLUSHDB')
  return { url: redis.url, token: redis.token }
}

async function startQStashStandIn(context: StartContext): Promise<QStashService> {
  const deliveryFaults: DeliveryFaults = { pass: open }
  const qstash = await start(
    context,
    'QStash',
    'qstash',
    (options) => startQStash({ ...options, deliveryFaults, stateFile: context.files.qstash }),
    ({ url }) => url,
  )
  Object.assign(context.targets, { deliveries: deliveryFaults, restartQStash: () => qstash.restart() })
  return {
    url: qstash.url,
    token: qstash.token,
    current_signing_key: qstash.currentSigningKey,
    next_signing_key: qstash.nextSigningKey,
  }
}

/** For names on a real server: runs in different folders have different databases and keys. */
function hashOfFolder({ dir }: LocalFiles): string {
  return createHash('sha256').update(dir).digest('hex').slice(0, 8)
}
