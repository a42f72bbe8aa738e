// The database of the bench: one person, ten thousand machines, a machine with a thousand ended jobs, and sessions
// whose refresh tokens can be used once. As many accounts as clients register machines, in turn, because a registration locks
// its account. They have no more machines than accounts usually have.
import { randomUUID } from 'node:crypto'
import { makeSecret } from '../../src/accounts/key.ts'
import { createTokenIssuer } from '../../src/accounts/token.ts'
import { signingKeys } from '../../src/env.ts'
import type { KeyCaller, SessionCaller } from '../../src/http/context.ts'
import type { BenchPlatform } from './platform.ts'

export const clientCount = 16

export type Scene = {
  /** The origin of the Worker. */
  issuer: string
  caller: SessionCaller
  /** Access tokens of sessions of the same account, one per client. */
  accessTokens: string[]
  registrars: Registrar[]
  /** An API key with the scope `report`, for all machines of the account. */
  key: { secret: string; caller: KeyCaller }
  /** Each is also the `refresh_id` of its session. */
  sessions: { id: string; refresh: string }[]
  machineIds: number[]
  /** An ended job. */
  jobId: string
}

/** An account that registers machines; `id` has 12 digits. */
export type Registrar = { id: string; accessToken: string }

/** The caller of an account that has one session, whose id follows from that of the account. */
export function registrarCaller(id: string): SessionCaller {
  return { kind: 'session', accountId: Number(id), sessionId: `00000000-0000-7000-8000-${id}` }
}

const historyLength = 1_000

/**
 * @param issuer the origin of the Worker
 * @param sessionCount sessions to refresh, in addition to those of the clients
 */
export async function setScene(
  platform: BenchPlatform,
  issuer: string,
  sessionCount: number,
  machineCount = 10_000,
): Promise<Scene> {
  const { postgres } = platform
  const tokens = createTokenIssuer(signingKeys.parse(JSON.stringify([platform.signingKey])), issuer)
  const accountId = await insertAccount(platform, 'bench')
  const ids = Array.from({ length: sessionCount + clientCount }, () => randomUUID())
  await insertSessions(platform, accountId, ids)
  const registrars: SessionCaller[] = []
  for (let client = 0; client < clientCount; client++) {
    const id = await insertAccount(platform, `registrar-${client}`)
    const caller = registrarCaller(String(id).padStart(12, '0'))
    await insertSessions(platform, id, [caller.sessionId])
    registrars.push(caller)
  }
  const machines = await postgres.query(
    `INSERT INTO machines (name, location, owner_id, controller_url)
     SELECT 'Machine ' || n, 'Hall ' || n % 20, $1, 'http://127.0.0.1:9/machines/' || n
     FROM generate_series(1, $2::int) n RETURNING id::int`,
    [accountId, machineCount],
  )
  const machineIds = machines.map(({ id }) => Number(id))
  const [job] = await insertEndedJobs(platform, machineIds.at(-1) ?? 0, accountId, historyLength)
  const { id: keyId, secret, secretHash } = makeSecret()
  await postgres.query(
    `INSERT INTO keys (id, account_id, name, scopes, secret_hash) VALUES ($1, $2, 'bench', '{report}', $3)`,
    [keyId, accountId, secretHash],
  )
  await postgres.query('VACUUM ANALYZE')
  const pairOf = (accountId: number, id: string) => tokens.issuePair({ accountId, sessionId: id, refreshId: id })
  const pairs = await Promise.all(ids.map((id) => pairOf(accountId, id)))
  return {
    issuer,
    caller: { kind: 'session', accountId, sessionId: ids[0] ?? '' },
    key: { secret, caller: { kind: 'key', keyId, secretHash, scopes: ['report'] } },
    registrars: await Promise.all(
      registrars.map(async ({ accountId, sessionId }) => ({
        id: sessionId.slice(-12),
        accessToken: (await pairOf(accountId, sessionId)).access,
      })),
    ),
    accessTokens: pairs.slice(0, clientCount).map(({ access }) => access),
    sessions: ids.map((id, index) => ({ id, refresh: pairs[index]?.refresh ?? '' })).slice(clientCount),
    machineIds,
    jobId: String(job?.id),
  }
}

async function insertAccount({ postgres }: BenchPlatform, name: string): Promise<number> {
  const [account] = await postgres.query(
    `INSERT INTO accounts (username, username_key, email, email_key, password_hash)
     VALUES ($1, $1, $1 || '@example.com', $1 || '@example.com', '-') RETURNING id::int`,
    [name],
  )
  return Number(account?.id)
}

/** Each id is also the `refresh_id` of its session. */
function insertSessions({ postgres }: BenchPlatform, accountId: number, ids: string[]) {
  return postgres.query(
    `INSERT INTO sessions (id, account_id, refresh_id, expires_at)
     SELECT id::uuid, $1, id::uuid, now() + interval '1 day' FROM unnest($2::text[]) id`,
    [accountId, ids],
  )
}

/** Deletes the machines that have been registered meanwhile. */
export async function deleteMachinesOf({ postgres }: BenchPlatform, registrars: Registrar[]): Promise<void> {
  const isOfRegistrar = 'owner_id = ANY ($1::bigint[])'
  const ids = [registrars.map(({ id }) => id)]
  await postgres.query(`DELETE FROM machine_statuses USING machines WHERE machine_id = id AND ${isOfRegistrar}`, ids)
  await postgres.query(`DELETE FROM machines WHERE ${isOfRegistrar}`, ids)
  await postgres.query('VACUUM machines, machine_statuses')
}

/** Succeeded jobs of a machine, one per second until now. */
export function insertEndedJobs({ postgres }: BenchPlatform, machineId: number, accountId: number, count: number) {
  return postgres.query(
    `INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, result, attempts, requested_by, requested_at,
       not_after, sent_at, finished_at, published_at, version)
     SELECT gen_random_uuid(), $1, $2, 'START', 'SUCCEEDED', 'SUCCESS', 1, $2, at, at + interval '60 seconds', at, at, at, 3
     FROM (SELECT now() - n * interval '1 second' AS at FROM generate_series(1, $3::int) n) times RETURNING id`,
    [machineId, accountId, count],
  )
}
