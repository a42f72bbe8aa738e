// `npm run test:model`: runs random sequences of requests, deliveries, answers, faults and clock steps on the real
// statements in PostgreSQL and on the model, which must agree after every step. A failing sequence is shortened and
// printed with the options that replay it: `-- --seed N --path P`.
import { parseArgs } from 'node:util'
import * as fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import { openDatabase } from '../../src/infra/database.ts'
import { Trace } from '../../src/kernel/trace.ts'
import { migrate } from '../../src/tools/migrations.ts'
import { startPostgres } from '../platform/postgres.ts'
import { type Action, action, agree, type Real, take } from './actions.ts'
import { Model } from './model.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '2000' }, seed: { type: 'string' }, path: { type: 'string' } },
})
const { LOCAL_POSTGRES_URL } = process.env
const postgres = await startPostgres(LOCAL_POSTGRES_URL ? { serverUrl: LOCAL_POSTGRES_URL } : {})
await migrate({ database_url: postgres.databaseUrl, fetch_endpoint: postgres.fetchEndpoint })
const database = openDatabase(postgres.databaseUrl, postgres.fetchEndpoint)(new Trace())

async function signUp(name: string): Promise<Real['owner']> {
  const [row] = await postgres.query(
    `INSERT INTO accounts (username, username_key, email, email_key, first_name, last_name, password_hash)
      VALUES ($1, $1, $1, $1, '', '', '') RETURNING id`,
    [name],
  )
  const caller = { accountId: Number(row?.id), sessionId: uuidv7(), tokenId: uuidv7() }
  await postgres.query(
    `INSERT INTO sessions (id, account_id, refresh_id, address, expires_at)
      VALUES ($1, $2, $3, '', now() + interval '1 day')`,
    [caller.sessionId, caller.accountId, uuidv7()],
  )
  return caller
}
const [owner, stranger] = [await signUp('owner'), await signUp('stranger')]

async function newMachine(): Promise<Real> {
  const [row] = await postgres.query(
    `INSERT INTO machines (name, location, owner_id, controller_url)
      VALUES ('Machine', 'Hall 1', $1, 'http://controller.example') RETURNING id`,
    [owner.accountId],
  )
  const machineId = Number(row?.id)
  const columns = ['requested_at', 'not_after', 'published_at', 'pending_since', 'sent_at', 'finished_at']
  const pass = async (seconds: number) => {
    const by = `interval '${seconds} seconds'`
    const earlier = columns.map((column) => `${column} = ${column} - ${by}`).join(', ')
    await postgres.query(
      `UPDATE jobs SET ${earlier} WHERE machine_id = ${machineId};
       UPDATE machines SET leased_until = leased_until - ${by} WHERE id = ${machineId}`,
    )
  }
  return { database, owner, stranger, machineId, ids: new Map(), attempts: [], pass }
}

/** The state that the statements and the model must agree on. */
async function compare(model: Model, { machineId, ids }: Real): Promise<void> {
  const [row] = await postgres.query(
    `SELECT m.status, m.deleted_at IS NOT NULL AS deleted, m.controller_url IS NOT NULL AS has_controller,
      coalesce(m.leased_until > now(), false) AS leased, (SELECT coalesce(jsonb_agg(jsonb_build_array(
        j.id, j.command, j.state, j.result, j.reason, j.attempts, j.version, j.publish_no, j.published_at IS NOT NULL,
        j.may_have_executed, j.must_succeed, (SELECT count(*) FROM job_events e WHERE e.job_id = j.id)) ORDER BY j.requested_at, j.id), '[]')
      FROM jobs j WHERE j.machine_id = m.id) AS jobs
    FROM machines m WHERE m.id = $1`,
    [machineId],
  )
  const jobs = model.jobs.map((job) => [
    ids.get(job),
    ...[job.command, job.state, job.result, job.reason, job.attempts, job.version, job.publishNo],
    ...[job.publishedAt !== null, job.mayHaveExecuted, job.mustSucceed, job.version],
  ])
  const { status, isDeleted, hasController, isLeased } = model
  agree(row, { status, deleted: isDeleted, has_controller: hasController, leased: isLeased, jobs })
}

async function play(actions: Action[]): Promise<void> {
  const model = new Model()
  const real = await newMachine()
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
  fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40, size: 'max' }), async (actions) => {
    steps += actions.length
    await play(actions)
  }),
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
  for (const each of counterexample?.[0] ?? []) process.stdout.write(`  ${JSON.stringify(each)}\n`)
  process.stdout.write(`${errorInstance instanceof Error ? errorInstance.message : errorInstance}\n`)
  process.stdout.write(`replay: npm run test:model -- --seed ${seed} --path ${counterexamplePath}\n`)
}
process.stdout.write(`${result.numRuns} sequences, ${steps} steps, ${seconds} s (seed ${result.seed})\n`)
process.stdout.write(`${result.numRuns} sequences, ${result.numRuns - (result.failed ? 1 : 0)} held\n`)
process.exitCode = result.failed ? 1 : 0
