// `npm run db:restored`: ends the sessions and closes the open jobs of a restored database, and only on confirmation.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeKey } from '../accounts/people.ts'
import { type Person, startWorld, type TestMachine, type World } from '../harness.ts'
import { deliver } from '../jobs/qstash-calls.ts'
import { shut } from '../platform/faults.ts'
import { runTool } from './programs.ts'

let world: World
let owner: Person
let env: Record<string, string>
let name: string
beforeAll(async () => {
  // A world of its own: the program ends the sessions of all.
  world = await startWorld()
  world.faults.qstash.pass = shut
  owner = await world.signUp()
  env = { DATABASE_URL: world.postgres.databaseUrl, NEON_FETCH_ENDPOINT: world.postgres.fetchEndpoint }
  const { host, pathname } = new URL(world.postgres.databaseUrl)
  name = `${host}${pathname}`
})
afterAll(() => world?.close())

/** A machine with a START in this state, as a backup has it: `leased` while an attempt is in progress. */
async function aMachine(state: 'QUEUED' | 'SENT' | 'PENDING', { mustSucceed = false } = {}) {
  const machine = await world.createMachine(owner)
  const { body: job } = await world.operate(owner, machine.id, 'START')
  await world.postgres.query(
    `UPDATE jobs SET state = $2, attempts = $3, may_have_executed = $3 > 0, must_succeed = $4,
       pending_since = CASE WHEN $2 = 'PENDING' THEN now() END WHERE id = $1`,
    [job.id, state, state === 'QUEUED' ? 0 : 1, mustSucceed],
  )
  await world.postgres.query(
    `UPDATE machines SET leased_by = $2, leased_until = now() + interval '1 hour' WHERE id = $1`,
    [machine.id, `${job.id}:1`],
  )
  return { machine, jobId: String(job.id) }
}

async function look({ machine, jobId }: { machine: TestMachine; jobId: string }) {
  const [job] = await world.postgres.query('SELECT state, result, reason, version FROM jobs WHERE id = $1', [jobId])
  const [row] = await world.postgres.query('SELECT status, leased_by FROM machines WHERE id = $1', [machine.id])
  const events = await world.postgres.query(
    'SELECT version, state FROM job_events WHERE job_id = $1 ORDER BY version',
    [jobId],
  )
  return { ...job, ...row, last_event: events.at(-1) }
}

test('does nothing without the confirmation, which the error tells', async () => {
  const queued = await aMachine('QUEUED')
  for (const args of [[], ['--confirm', 'yes'], ['--confirm', `${name}x`]]) {
    const { code, stdout, stderr } = await runTool('db-restored', args, { env })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(
      `This ends all sessions, revokes all API keys and password resets, and closes all open jobs. To do it: --confirm ${name}\n`,
    )
    expect(stderr).not.toContain(new URL(env.DATABASE_URL ?? '').password)
  }
  expect(await look(queued)).toMatchObject({ state: 'QUEUED' })
  expect((await owner.request('GET', '/api/me')).status).toBe(200)
  await world.postgres.query("UPDATE jobs SET state = 'CANCELED' WHERE id = $1", [queued.jobId])
})

test('the outcome of a job that was QUEUED in the backup, and was sent after it, is stored', async () => {
  const machine = await world.createMachine(owner)
  machine.behave({ mode: 'fail', status: 200, body: { result: 'PENDING' } })
  const { body: job } = await world.operate(owner, machine.id, 'START')
  const jobId = String(job.id)
  await deliver(world, jobId)
  const token = machine.commands().at(-1)?.outcome_token
  // The backup is older than the delivery.
  await world.postgres.query(
    `UPDATE jobs SET state = 'QUEUED', result = NULL, attempts = 0, may_have_executed = false, sent_at = NULL,
       pending_since = NULL, version = 1 WHERE id = $1`,
    [jobId],
  )
  await world.postgres.query('DELETE FROM job_events WHERE job_id = $1 AND version > 1', [jobId])
  await runTool('db-restored', ['--confirm', name], { env })
  const answer = await world.request('POST', `/api/callbacks/jobs/${jobId}/outcome`, {
    token,
    body: { result: 'SUCCESS' },
  })
  expect([answer.status, answer.body.state]).toEqual([200, 'SUCCEEDED'])
  expect(await look({ machine, jobId })).toMatchObject({ state: 'SUCCEEDED', status: 'RUNNING' })
  owner = await world.signUp()
})

test('ends all sessions, revokes all keys and closes each open job truthfully; it is safe to repeat', async () => {
  const queued = await aMachine('QUEUED')
  const mustSucceed = await aMachine('QUEUED', { mustSucceed: true })
  const sent = await aMachine('SENT')
  const pending = await aMachine('PENDING')
  const key = await makeKey(world, owner, { scopes: ['read'] })
  const staff = await world.signUpStaff()
  const guest = await world.signUp()
  const issued = await staff.request('POST', `/api/accounts/${guest.id}/password-reset`)
  const run = () => runTool('db-restored', ['--confirm', name], { env })
  const first = await run()
  expect([first.code, first.stderr]).toEqual([0, ''])
  expect(first.stdout).toMatch(
    /^\d+ sessions ended\.\n1 API keys revoked\.\n1 tokens for new passwords revoked\.\n4 jobs that were open are FAILED/,
  )
  const failed = { state: 'FAILED', result: 'INTERNALFAILED', reason: 'outcome_unknown', version: 2, leased_by: null }
  for (const each of [queued, mustSucceed, sent, pending])
    expect(await look(each)).toEqual({ ...failed, status: 'ERROR', last_event: { version: 2, state: 'FAILED' } })

  const statuses = await world.postgres.query(
    'SELECT status, source FROM machine_statuses WHERE machine_id = $1 ORDER BY at DESC LIMIT 1',
    [sent.machine.id],
  )
  expect(statuses).toEqual([{ status: 'ERROR', source: 'command' }])

  expect((await owner.request('GET', '/api/machines')).status).toBe(401)
  expect((await key.request('GET', '/api/machines')).body.code).toBe('key_invalid')
  expect((await world.request('POST', '/api/token/refresh', { body: { refresh: owner.refresh } })).status).toBe(401)
  // Its token may have been used after the backup.
  const { reset_token } = issued.body
  const used = await world.request('POST', '/api/password-reset', {
    body: { reset_token, new_password: guest.password },
  })
  expect(used.body.code).toBe('reset_token_invalid')
  const again = await run()
  expect(again.stdout).toMatch(
    /^0 sessions ended\.\n0 API keys revoked\.\n0 tokens for new passwords revoked\.\n0 jobs /,
  )

  const restored = await world.postgres.query(
    "SELECT actor, subject FROM audit_events WHERE action = 'database.restore'",
  )
  expect(restored.length).toBeGreaterThan(1)
  expect(restored.at(-1)).toEqual({ actor: null, subject: 'database' })

  const { username, password } = owner
  const { body } = await world.request('POST', '/api/log-in', { body: { username, password } })
  const events = await world.request('GET', `/api/jobs/${sent.jobId}/events`, { token: body.token.access })
  expect(events.body.items.at(-1)).toMatchObject({
    state: 'FAILED',
    reason: 'outcome_unknown',
    detail: expect.stringContaining('restore from a backup'),
  })
  const stop = await world.request('POST', `/api/machines/${sent.machine.id}/operation`, {
    token: body.token.access,
    body: { command: 'STOP' },
  })
  expect(stop.status).toBe(202)
  // The controller may have seen commands after the backup, and refuses what is older.
  expect(stop.body.sequence).toBeGreaterThan(1_000_000)
})
