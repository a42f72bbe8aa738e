// The upstreams of the bench: the stand-ins of PostgreSQL and Redis, in-process or on real servers, and a QStash that
// accepts every message and delivers none, so that deliveries do not disturb the measurement.

import { updateDatabase } from '../../src/tools/migrations.ts'
import { makeSigningKey, serviceVariables } from '../harness.ts'
import { type CallInterceptor, open } from '../platform/faults.ts'
import { type Exchange, type StandInOptions, startHttpServer } from '../platform/http.ts'
import { type PostgresStandIn, startPostgres } from '../platform/postgres.ts'
import { startQStash } from '../platform/qstash.ts'
import { type RedisStandIn, startRedis } from '../platform/redis.ts'

export type Servers = { postgres?: string; redis?: string }

export type BenchPlatform = {
  /** The real servers behind the stand-ins. */
  servers: Servers
  postgres: PostgresStandIn
  redis: RedisStandIn
  /** Every upstream call, oldest first, while `recorded` is set. */
  exchanges: Exchange[]
  record(isRecorded: boolean): void
  /** Latency added to every upstream call. */
  setLatency(latencyMs: number): void
  signingKey: Record<string, unknown>
  /** The Worker's variables, by its origin. */
  vars(origin: string): Record<string, string>
  close(): Promise<void>
}

/** The bench has one account with all machines. */
export const benchQuota = 100_000_000

export type PlatformOptions = {
  /** Whether QStash delivers its messages to the Worker. */
  delivers?: boolean
  /** Looks at each call of Redis. */
  redis?: CallInterceptor
}

export async function startPlatform(
  servers: Servers,
  { delivers = false, redis: pass = open }: PlatformOptions = {},
): Promise<BenchPlatform> {
  const exchanges: Exchange[] = []
  let isRecorded = false
  const standIn = (): StandInOptions => ({
    latencyMs: 0,
    onExchange: (exchange) => {
      if (isRecorded) exchanges.push(exchange)
    },
  })
  // Kept because the stand-ins read them at each request.
  const options = { postgres: standIn(), redis: { ...standIn(), faults: { pass } }, qstash: standIn() }
  const [postgres, redis, qstash] = await Promise.all([
    startPostgres(Object.assign(options.postgres, servers.postgres && { serverUrl: servers.postgres })),
    startRedis(Object.assign(options.redis, servers.redis && { serverUrl: servers.redis })),
    delivers ? startQStash(options.qstash) : startTaker(options.qstash),
  ])
  await updateDatabase({ database_url: postgres.databaseUrl, fetch_endpoint: postgres.fetchEndpoint })
  const signingKey = makeSigningKey('bench')
  return {
    servers,
    postgres,
    redis,
    exchanges,
    record(recorded) {
      isRecorded = recorded
      if (recorded) exchanges.length = 0
    },
    setLatency(latencyMs) {
      for (const each of Object.values(options)) each.latencyMs = latencyMs
    },
    signingKey,
    vars: (origin) => ({
      PUBLIC_URL: origin,
      ...serviceVariables({ postgres, redis, qstash }),
      JWT_KEYS: JSON.stringify([signingKey]),
      ALLOW_PRIVATE_CONTROLLERS: 'true',
      MACHINES_PER_ACCOUNT: String(benchQuota),
    }),
    async close() {
      await qstash.close()
      await Promise.all([postgres.close(), redis.close()])
    },
  }
}

async function startTaker(options: StandInOptions) {
  const server = await startHttpServer('qstash', async () => ({ body: { messageId: 'msg_taken' } }), options)
  const keys = { currentSigningKey: 'sig_bench_now', nextSigningKey: 'sig_bench_next' }
  return { url: server.url, token: 'bench-token', ...keys, close: server.close }
}
