// Invariants that hold after any fault: no accepted job is lost, every job ends, commands arrive in time, under one key
// and with the usual delays, no START is executed after a later STOP, machine statuses follow from the jobs' events,
// they are in the history of statuses, Redis agrees with PostgreSQL or is empty. Call it when all jobs have ended and QStash has no message left. A Worker whose
// delivery was cut off may still add a note to a job: jobs and statuses are therefore read by one statement.
import { retryDelaysSeconds } from '../../src/jobs/commands.ts'
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
  sequence: number
  must_succeed: boolean
  events: JobEvent[]
}

/** `at` is in seconds. */
type JobEvent = { version: number; state: string; at: number; reason: string | null; detail: string | null }

/** Tolerance for the time between the last check of `not_after` and the arrival of the command at the controller. */
const travelMs = 1_000
/** The times of events are compared as floating-point numbers. */
const roundingSeconds = 0.001
/** How long the copy of an open job may be stale. */
const copySeconds = 5

/** Returns one line for each violation. */
export async function findViolations({ world, machines, accepted }: InvariantInput): Promise<string[]> {
  const { jobs, statuses } = await readJobs(world, machines)
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
    ...(await findUnrecorded(world, machines)),
    ...(await findStaleCopies(world, machines)),
  ]
}

type Stored = { jobs: JobRow[]; statuses: Map<number, string> }

/** Skips commands that were refused at the request: the client was promised nothing. */
export async function readJobs(world: World, machines: { id: number }[]): Promise<Stored> {
  await world.settle()
  const rows = await world.postgres.query(
    `SELECT m.id, m.status, (SELECT jsonb_agg(to_jsonb(j) || jsonb_build_object('events',
        (SELECT jsonb_agg(to_jsonb(e) || jsonb_build_object('at', extract(epoch FROM e.at)) ORDER BY version)
        FROM job_events e WHERE job_id = j.id)) ORDER BY j.sequence)
      FROM jobs j WHERE j.machine_id = m.id AND j.sequence > 0) AS jobs
    FROM machines m WHERE m.id = ANY($1) ORDER BY m.id`,
    [machines.map(({ id }) => id)],
  )
  return {
    jobs: rows.flatMap(({ jobs }) => (jobs ?? []) as JobRow[]), // to_jsonb of rows, with their events
    statuses: new Map(rows.map(({ id, status }) => [Number(id), String(status)])),
  }
}

export function checkJob({ id, command, state, version, events }: JobRow): string[] {
  const name = `${command} ${id}`
  const versions = events.map((event) => event.version).join(' ')
  const attempts = events.filter((event) => event.state === 'SENT' && event.reason === null)
  const early = attempts.flatMap(({ at }, index) => {
    const delay = retryDelaysSeconds[Math.min(index, retryDelaysSeconds.length) - 1] ?? 0
    const tookSeconds = at - (attempts[index - 1]?.at ?? 0)
    return tookSeconds < delay - roundingSeconds
      ? [`attempt ${index + 1} of ${name} began ${tookSeconds} s after the last`]
      : []
  })
  return [
    ...early,
    ...(['QUEUED', 'SENT', 'PENDING'].includes(state) ? [`${name} does not end: it is ${state}`] : []),
    ...(versions === events.map((_, index) => index + 1).join(' ')
      ? []
      : [`the timeline of ${name} has versions ${versions}`]),
    ...(events.length === version ? [] : [`${name} is at version ${version} and has ${events.length} events`]),
    ...(events.at(-1)?.state === state ? [] : [`${name} is ${state}, its last event ${events.at(-1)?.state}`]),
  ]
}

export type CheckedCommand = Pick<
  ReceivedCommand,
  'job_id' | 'sequence' | 'idempotency_key' | 'attempt' | 'command' | 'received_at' | 'not_after' | 'done'
>

/** @param jobs of one machine, by sequence */
export function checkCommands(
  jobs: Pick<JobRow, 'id' | 'sequence' | 'command' | 'state' | 'attempts'>[],
  commands: CheckedCommand[],
): string[] {
  const found: string[] = []
  for (const [index, received] of commands.entries()) {
    const { job_id, sequence, idempotency_key, attempt, command, received_at, not_after, done } = received
    const name = `the command ${command} ${job_id} #${attempt}`
    const at = jobs.findIndex(({ id }) => id === job_id)
    const job = jobs[at]
    if (idempotency_key !== job_id) found.push(`${name} came under the key ${idempotency_key}`)
    if (job === undefined || attempt > job.attempts) found.push(`${name} has no attempt in the database`)
    if (job !== undefined && sequence !== job.sequence) found.push(`${name} came as ${sequence}, not ${job.sequence}`)
    const lateMs = Date.parse(received_at) - Date.parse(not_after)
    if (lateMs > travelMs) found.push(`${name} came ${lateMs} ms after its not_after`)
    // A STOP does not wait for a START in transit, so the START may arrive later. The sequence tells the controller.
    const later = new Set(jobs.slice(at + 1).flatMap((each) => (each.command === 'STOP' ? [each.id] : [])))
    const isOvertaken = command === 'START' && commands.slice(0, index).some((before) => later.has(before.job_id))
    if (isOvertaken && done) found.push(`${name} was executed after a later STOP`)
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

/**
 * The machine status that follows from the events of the jobs, in the order of time; undefined when none of them sets it.
 * A late answer sets it only if no later job, by sequence, has ended before; a late success of a START then sets ERROR.
 */
export function expectStatus(
  jobs: Pick<JobRow, 'command' | 'sequence' | 'must_succeed' | 'events'>[],
): string | undefined {
  let status: string | undefined
  let endedSequence = 0
  const events = jobs.flatMap((job) => job.events.map((event) => ({ ...event, job })))
  for (const { job, state, reason, detail } of events.toSorted((a, b) => a.at - b.at)) {
    const { command, sequence, must_succeed } = job
    const onSuccess = command === 'START' ? 'RUNNING' : 'READY'
    if (reason === 'late_answer') {
      // A note on a job that stays SUPERSEDED begins with the result.
      const isSuccess = state === 'SUCCEEDED' || (state === 'SUPERSEDED' && detail?.split(':')[0] === 'SUCCESS')
      const isPending = state === 'SUPERSEDED' && detail?.split(':')[0] === 'PENDING'
      if (sequence >= endedSequence) status = isPending ? 'PENDING' : isSuccess ? onSuccess : 'ERROR'
      else if (isSuccess && command === 'START') status = 'ERROR'
    } else if (reason !== 'attempt_failed' && reason !== 'contradiction') {
      if (state === 'PENDING') status = 'PENDING'
      else if (state === 'SUCCEEDED') status = onSuccess
      else if (['FAILED', 'TIMED_OUT'].includes(state) || (must_succeed && ['REJECTED', 'EXPIRED'].includes(state)))
        status = 'ERROR'
      if (!['QUEUED', 'SENT', 'PENDING', 'SUPERSEDED'].includes(state))
        endedSequence = Math.max(endedSequence, sequence)
    }
  }
  return status
}

/** Machines whose history of statuses does not end with their status. */
export async function findUnrecorded(world: World, machines: { id: number }[]): Promise<string[]> {
  const rows = await world.postgres.query(
    `SELECT * FROM (SELECT id, status, (SELECT status FROM machine_statuses WHERE machine_id = m.id
       ORDER BY at DESC LIMIT 1) AS recorded FROM machines m WHERE id = ANY ($1) ORDER BY id) m WHERE status IS DISTINCT FROM recorded`,
    [machines.map(({ id }) => id)],
  )
  return rows.map(({ id, status, recorded }) => `machine ${id} is ${status}, but its history ends with ${recorded}`)
}

async function findStaleCopies(world: World, machines: TestMachine[]): Promise<string[]> {
  let stale: string[] = []
  const look = async () => {
    const { jobs } = await readJobs(world, machines)
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
