// Invariants that hold after any fault: no accepted job is lost, every job ends, commands arrive in time and under one
// key, machine statuses match the jobs, Redis agrees with PostgreSQL or is empty. Call it when nothing is in progress.
import type { TestMachine, World } from '../harness.ts'
import type { ReceivedCommand } from '../platform/controller/command.ts'
import { isReached } from './recovery.ts'

export type InvariantInput = {
  world: World
  /** Every job on these machines must be in `accepted`. */
  machines: TestMachine[]
  /** The ids of the jobs that were answered 202. */
  accepted: string[]
}

type JobRow = {
  id: string
  machine_id: number
  command: 'START' | 'STOP'
  state: string
  attempts: number
  version: number
  must_succeed: boolean
  events: { version: number; state: string }[]
}

/** Tolerance for the time between the last check of `not_after` and the arrival of the command at the controller. */
const travelMs = 1_000
/** How long the copy of an open job may be stale. */
const copySeconds = 5

/** Returns one line for each violation. */
export async function findViolations({ world, machines, accepted }: InvariantInput): Promise<string[]> {
  const jobs = await readJobs(world, machines)
  const statuses = await readStatuses(world, machines)
  const known = new Set(jobs.map(({ id }) => id))
  const asked = new Set(accepted)
  return [
    ...accepted.filter((id) => !known.has(id)).map((id) => `job ${id} was accepted and is lost`),
    ...jobs.filter(({ id }) => !asked.has(id)).map(({ id, command }) => `no client was told of the ${command} ${id}`),
    ...jobs.flatMap(checkJob),
    ...machines.flatMap((machine) => {
      const own = jobs.filter(({ machine_id }) => machine_id === machine.id)
      return [...checkCommands(own, machine.commands()), ...checkStatus(machine, own, statuses.get(machine.id))]
    }),
    ...(await findStaleCopies(world, jobs)),
  ]
}

/** Skips commands that were refused at the request: the client was promised nothing. */
async function readJobs(world: World, machines: TestMachine[]): Promise<JobRow[]> {
  const rows = await world.postgres.query(
    `SELECT to_jsonb(j) || jsonb_build_object('events', (SELECT jsonb_agg(jsonb_build_object('version', version,
      'state', state) ORDER BY version) FROM job_events WHERE job_id = j.id)) AS job
    FROM jobs j WHERE machine_id = ANY($1) AND NOT (state = 'REJECTED' AND reason <> 'changed')
    ORDER BY machine_id, requested_at, id`,
    [machines.map(({ id }) => id)],
  )
  return rows.map(({ job }) => job as JobRow) // to_jsonb of a row, with its events
}

async function readStatuses(world: World, machines: TestMachine[]): Promise<Map<number, string>> {
  const ids = machines.map(({ id }) => id)
  const rows = await world.postgres.query('SELECT id, status FROM machines WHERE id = ANY($1)', [ids])
  return new Map(rows.map(({ id, status }) => [Number(id), String(status)]))
}

function checkJob({ id, command, state, version, events }: JobRow): string[] {
  const name = `${command} ${id}`
  const versions = events.map((event) => event.version).join(' ')
  return [
    ...(['QUEUED', 'SENT', 'PENDING'].includes(state) ? [`${name} does not end: it is ${state}`] : []),
    ...(versions === events.map((_, index) => index + 1).join(' ')
      ? []
      : [`the timeline of ${name} has versions ${versions}`]),
    ...(events.length === version ? [] : [`${name} is at version ${version} and has ${events.length} events`]),
    ...(events.at(-1)?.state === state ? [] : [`${name} is ${state}, its last event ${events.at(-1)?.state}`]),
  ]
}

/** @param jobs of one machine, in the order of their requests */
export function checkCommands(
  jobs: Pick<JobRow, 'id' | 'command' | 'state' | 'attempts'>[],
  commands: Pick<ReceivedCommand, 'job_id' | 'idempotency_key' | 'attempt' | 'command' | 'received_at' | 'not_after'>[],
): string[] {
  const found: string[] = []
  for (const [index, { job_id, idempotency_key, attempt, command, received_at, not_after }] of commands.entries()) {
    const name = `the command ${command} ${job_id} #${attempt}`
    const at = jobs.findIndex(({ id }) => id === job_id)
    const job = jobs[at]
    if (idempotency_key !== job_id) found.push(`${name} came under the key ${idempotency_key}`)
    if (job === undefined || attempt > job.attempts) found.push(`${name} has no attempt in the database`)
    const lateMs = Date.parse(received_at) - Date.parse(not_after)
    if (lateMs > travelMs) found.push(`${name} came ${lateMs} ms after its not_after`)
    const later = new Set(jobs.slice(at + 1).flatMap((each) => (each.command === 'STOP' ? [each.id] : [])))
    const isOvertaken = command === 'START' && commands.slice(0, index).some((before) => later.has(before.job_id))
    if (isOvertaken) found.push(`${name} came after a later STOP`)
  }
  return found
}

function checkStatus(machine: TestMachine, jobs: JobRow[], status: string | undefined): string[] {
  const expected = expectStatus(jobs) ?? machine.body.status
  const { state } = machine.state()
  const isTrue = status === 'ERROR' || (status === 'RUNNING') === (state === 'running')
  return [
    ...(status === expected ? [] : [`machine ${machine.id} is ${status}, but its jobs say ${expected}`]),
    ...(isTrue ? [] : [`machine ${machine.id} is ${status} in the database, but its controller says ${state}`]),
  ]
}

/** The machine status that follows from the ended jobs; undefined when none of them sets it. */
function expectStatus(jobs: JobRow[]): string | undefined {
  const statuses = jobs.map(({ command, state, must_succeed }) => {
    if (state === 'SUCCEEDED') return command === 'START' ? 'RUNNING' : 'READY'
    return state === 'FAILED' || state === 'TIMED_OUT' || must_succeed ? 'ERROR' : undefined
  })
  return statuses.findLast((status) => status !== undefined)
}

async function findStaleCopies(world: World, jobs: JobRow[]): Promise<string[]> {
  let stale: string[] = []
  const look = async () => {
    const copies = await Promise.all(jobs.map(({ id }) => world.redis.command('GET', `job:${id}`)))
    return jobs.flatMap(({ id, state, version }, index) => {
      const text = copies[index]
      if (typeof text !== 'string') return []
      const copy: { state: string; version: number } = JSON.parse(text)
      const isSame = copy.state === state && copy.version === version
      return isSame ? [] : [`Redis shows ${copy.state} (${copy.version}) for the ${state} (${version}) job ${id}`]
    })
  }
  await isReached(
    async () => {
      stale = await look()
      return stale.length === 0
    },
    (copySeconds + 1) * 1_000,
  )
  return stale
}
