// The services that the Worker needs, on this machine: stand-ins for whatever the environment does not name, and the
// file that tells where everything is.
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
import type { DeliveryFaults } from './qstash/courier.ts'
import { startQStash } from './qstash.ts'
import { startRedis } from './redis.ts'

/** What `platform.json` holds. `api` is where the API answers once it is started. */
export type PlatformFile = {
  api: string
  postgres: PostgresService
  redis: RedisService
  qstash: QStashService
  controller: string
  /** Where faults are ordered. */
  control: string
}

export type PlatformOptions = {
  /** Where everything is kept; made if missing, and locked. */
  dir: string
  /** Where the API is going to be. */
  api: string
  /** Starts over: what earlier runs have made is removed. Services that the environment names are left alone. */
  fresh?: boolean
  env?: ProcessEnvironment
  progress?: Progress
  onExchange?: (exchange: Exchange) => void
  /** Ends the start between two steps. */
  signal?: AbortSignal
}

export type Platform = {
  file: PlatformFile
  files: LocalFiles
  /** What the environment named. */
  named: NamedServices
  controller: ControllerStandIn
  close(): Promise<void>
}

/** @throws PlatformError when the folder is in use or a service is named in part; what was started is ended. */
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
        'starting over',
        () => removeLocalFiles(files),
        () => files.dir,
      )
    const targets: StartContext['targets'] = { calls: new Map() }
    const context: StartContext = { ...options, env, progress, files, cleanup, targets }
    const postgres = named.postgres ?? (await startPostgresStandIn(context))
    const redis = named.redis ?? (await startRedisStandIn(context))
    const qstash = named.qstash ?? (await startQStashStandIn(context))
    const controller = await start(context, 'machine controller', 'controller', startController, ({ url }) => url)
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

/** @param name what its faults are ordered by */
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
  // Behind a prefix this removes what bears the prefix and nothing else.
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

/** Runs with folders of their own share no database and no key on a real server either. */
function hashOfFolder({ dir }: LocalFiles): string {
  return createHash('sha256').update(dir).digest('hex').slice(0, 8)
}
