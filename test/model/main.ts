// `npm run test:model`: runs random sequences of requests, deliveries, answers, faults and clock steps on the real
// statements in PostgreSQL and on the model, which must agree after every step. A failing sequence is shortened and
// printed with the options that replay it: `-- --seed N --path P`.
import { parseArgs } from 'node:util'
import * as fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import type { KeyCaller, SessionCaller } from '../../src/http/context.ts'
import { openDatabase } from '../../src/infra/database.ts'
import type { JobContext } from '../../src/jobs/context.ts'
import type { Scope } from '../../src/kernel/scope.ts'
import { Trace } from '../../src/kernel/trace.ts'
import type { Role } from '../../src/sites/role.ts'
import { startMigrated } from '../migrated.ts'
import { UnwrittenTrace } from '../unwritten-trace.ts'
import { type Action, action, agree, type Real, take } from './actions.ts'
import { Model } from './model.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '2000' }, seed: { type: 'string' }, path: { type: 'string' } },
})
const postgres = await startMigrated()
const database = openDatabase(postgres.databaseUrl, postgres.fetchEndpoint)(new Trace())

async function signUp(name: string): Promise<SessionCaller> {
  const [row] = await postgres.query(
    `INSERT INTO accounts (username, username_key, email, email_key, first_name, last_name, password_hash)
      VALUES ($1, $1, $1, $1, '', '', '') RETURNING id`,
    [name],
  )
  const caller: SessionCaller = { kind: 'session', accountId: Number(row?.id), sessionId: uuidv7() }
  await postgres.query(
    `INSERT INTO sessions (id, account_id, refresh_id, address, expires_at)
      VALUES ($1, $2, $3, '', now() + interval '1 day')`,
    [caller.sessionId, caller.accountId, uuidv7()],
  )
  return caller
}
async function makeKey(keyOwner: SessionCaller, scopes: Scope[], machineId: number | null): Promise<KeyCaller> {
  const key: KeyCaller = { kind: 'key', keyId: uuidv7(), secretHash: 'hash', scopes }
  await postgres.query(
    "INSERT INTO keys (id, account_id, name, scopes, secret_hash, machine_id) VALUES ($1, $2, 'Key', $3, $4, $5)",
    [key.keyId, keyOwner.accountId, key.scopes, key.secretHash, machineId],
  )
  return key
}

/** Without Redis, QStash and tokens: the steps call the rest themselves. */
const unused = async () => undefined
const context = {
  trace: new UnwrittenTrace(),
  upstreams: { database, cache: { read: unused, write: async () => true, subscribe: unused, ping: async () => {} } },
  waitUntil: () => {},
} as unknown as JobContext

/** Commands are posted to the machine, which does not report, or reports; or it fetches them. */
const ways = ['push', 'push and report', 'pull'] as const
type Way = (typeof ways)[number]

const owner = await signUp('owner')
const people = {
  owner,
  staff: await signUp('staff'),
  member: await signUp('member'),
  stranger: await signUp('stranger'),
}

async function setStaff(isStaff: boolean): Promise<void> {
  await postgres.query('UPDATE accounts SET is_staff = $1 WHERE id = $2', [isStaff, people.staff.accountId])
}

/** @param way how commands reach it, and whether it reports */
async function newMachine(way: Way): Promise<Real> {
  const [row] = await postgres.query(
    `INSERT INTO machines (name, location, owner_id, controller_url)
      VALUES ('Machine', 'Hall 1', $1, $2) RETURNING id`,
    [owner.accountId, way === 'pull' ? null : 'http://controller.example'],
  )
  const machineId = Number(row?.id)
  const program = await makeKey(owner, ['start', 'stop'], null)
  const reporter = await makeKey(owner, way === 'push' ? ['read'] : ['report'], machineId)
  const setMember = async (role: Role | null, seconds: number) => {
    const of = [machineId, people.member.accountId]
    await postgres.query('DELETE FROM members WHERE machine_id = $1 AND account_id = $2', of)
    if (role === null) return
    await postgres.query(
      `INSERT INTO members (machine_id, account_id, role, expires_at)
        VALUES ($1, $2, $3, now() + interval '${seconds} seconds')`,
      [...of, role],
    )
  }
  const revokeKey = async () => {
    await postgres.query('UPDATE keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1', [program.keyId])
  }
  const columns = [
    ...['requested_at', 'not_after', 'published_at', 'pending_since', 'sent_at', 'finished_at'],
    ...['next_attempt_at', 'due_at'],
  ]
  const pass = async (seconds: number) => {
    const by = `interval '${seconds} seconds'`
    const earlier = columns.map((column) => `${column} = ${column} - ${by}`).join(', ')
    await postgres.query(
      `UPDATE jobs SET ${earlier} WHERE machine_id = ${machineId};
       UPDATE machines SET leased_until = leased_until - ${by} WHERE id = ${machineId};
       UPDATE machine_reports SET at = at - ${by} WHERE machine_id = ${machineId};
       UPDATE members SET expires_at = expires_at - ${by} WHERE machine_id = ${machineId}`,
    )
  }
  await setStaff(true)
  const callers = { ...people, program }
  const holdsOf = async (requester: 'owner' | 'member') => {
    const rows = await postgres.query(
      `SELECT id FROM holds WHERE machine_id = $1 AND placed_by = $2 AND removed_at IS NULL AND overridden_at IS NULL`,
      [machineId, people[requester].accountId],
    )
    return rows.map(({ id }) => Number(id))
  }
  return {
    database,
    context,
    reporter,
    callers,
    setStaff,
    setMember,
    revokeKey,
    holdsOf,
    machineId,
    ids: new Map(),
    attempts: [],
    pass,
  }
}

/** The state that the statements and the model must agree on. */
async function compare(model: Model, { machineId, ids }: Real): Promise<void> {
  const [row] = await postgres.query(
    `SELECT m.status, m.status_source AS source, m.deleted_at IS NOT NULL AS deleted, m.controller_url IS NOT NULL AS has_controller,
      coalesce(m.leased_until > now(), false) AS leased,
      jsonb_build_array(m.last_sequence, m.ended_sequence, m.manual_sequence, m.confirmed_sequence) AS sequences, (SELECT coalesce(jsonb_agg(jsonb_build_array(
        j.id, j.command, j.sequence, j.state, j.result, j.reason, j.attempts, j.version, j.publish_no, j.published_at IS NOT NULL,
        j.state IN ('QUEUED', 'SENT', 'PENDING') AND j.due_at <= now(), j.may_have_executed, j.must_succeed, j.confirmed_at IS NOT NULL, (SELECT count(*) FROM job_events e WHERE e.job_id = j.id)) ORDER BY j.requested_at, j.id), '[]')
      FROM jobs j WHERE j.machine_id = m.id) AS jobs
    FROM machines m WHERE m.id = $1`,
    [machineId],
  )
  const jobs = model.jobs.map((job) => [
    ids.get(job),
    ...[job.command, job.sequence, job.state, job.result, job.reason, job.attempts, job.version, job.publishNo],
    ...[job.publishedAt !== null, job === model.openJob && job.dueAt <= model.now],
    ...[job.mayHaveExecuted, job.mustSucceed, job.isConfirmed, job.version],
  ])
  const { status, statusSource: source, isDeleted, hasController, isLeased } = model
  const sequences = [model.lastSequence, model.endedSequence, model.manualSequence, model.confirmedSequence]
  agree(row, { status, source, deleted: isDeleted, has_controller: hasController, leased: isLeased, sequences, jobs })
}

async function play(way: Way, actions: Action[]): Promise<void> {
  const model = new Model(way !== 'push')
  model.hasController = way !== 'pull'
  const real = await newMachine(way)
  try {
    for (const next of actions) {
      await take(next, model, real)
      await compare(model, real)
    }
  } finally {
    // Ends open jobs, so that the sweep of the next sequence does not handle them.
    await postgres.query("UPDATE jobs SET state = 'CANCELED' WHERE machine_id = $1", [real.machineId])
  }
}

const beganAt = performance.now()
const numRuns = Number(values.runs)
let steps = 0
const result = await fc.check(
  fc.asyncProperty(
    fc.constantFrom(...ways),
    fc.array(action, { minLength: 5, maxLength: 40, size: 'max' }),
    async (way, actions) => {
      steps += actions.length
      await play(way, actions)
    },
  ),
  {
    numRuns,
    ...(values.seed !== undefined && { seed: Number(values.seed) }),
    ...(values.path !== undefined && { path: values.path }),
  },
)
await postgres.close()
const seconds = ((performance.now() - beganAt) / 1_000).toFixed(0)
if (result.failed) {
  const { counterexample, seed, counterexamplePath, errorInstance } = result
  const [way, actions = []] = counterexample ?? []
  process.stdout.write(`  ${way}\n`)
  for (const each of actions) process.stdout.write(`  ${JSON.stringify(each)}\n`)
  process.stdout.write(`${errorInstance instanceof Error ? errorInstance.message : errorInstance}\n`)
  process.stdout.write(`replay: npm run test:model -- --seed=${seed} --path ${counterexamplePath}\n`)
}
process.stdout.write(`${result.numRuns} sequences, ${steps} steps, ${seconds} s (seed ${result.seed})\n`)
process.stdout.write(`${result.numRuns} sequences, ${result.numRuns - (result.failed ? 1 : 0)} held\n`)
process.exitCode = result.failed ? 1 : 0
