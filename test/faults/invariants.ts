// What must hold whatever went wrong: no accepted job is lost, every job ends, commands are fresh and under one key,
// machines are as the jobs say, Redis agrees with PostgreSQL or is empty. To be asked when all is quiet.
import type { MachineInPlay, World } from '../harness.ts'
import type { ReceivedCommand } from '../platform/controller/command.ts'
import { isReached } from './recovery.ts'

export type Watched = {
  world: World
  /** Every job on them must be the answer to one of `accepted`. */
  machines: MachineInPlay[]
  /** The ids that were answered 202. */
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

/** From the last look at `not_after` to the controller: a command is on its way for some time, on a busy machine too. */
const travelMs = 1_000
/** How long the copy of an open job may outlive the truth. */
const copySeconds = 5

/** One line for each thing that does not hold. */
export async function findViolations({ world, machines, accepted }: Watched): Promise<string[]> {
  const jobs = await readJobs(world, machines)
  const statuses = await readStatuses(world, machines)
  const known = new Set(jobs.map(({ id }) => id))
  const asked = new Set(accepted)
  return [
    ...accepted.filter((id) => !known.has(id)).map((id) => `job ${id} was accepted and is lost`),
    ...jobs.filter(({ id }) => !asked.has(id)).map(({ id, command }) => `nobody was told of the ${command} ${id}`),
    ...jobs.flatMap(judgeJob),
    ...machines.flatMap((machine) => {
      const own = jobs.filter(({ machine_id }) => machine_id === machine.id)
      return [...judgeCommands(own, machine.commands()), ...judgeStatus(machine, own, statuses.get(machine.id))]
    }),
    ...(await findStaleCopies(world, jobs)),
  ]
}

/** What was refused at the door is no job here: nothing was promised. */
async function readJobs(world: World, machines: MachineInPlay[]): Promise<JobRow[]> {
  const rows = await world.postgres.query(
    `SELECT to_jsonb(j) || jsonb_build_object('events', (SELECT jsonb_agg(jsonb_build_object('version', version,
      'state', state) ORDER BY version) FROM job_events WHERE job_id = j.id)) AS job
    FROM jobs j WHERE machine_id = ANY($1) AND NOT (state = 'REJECTED' AND reason <> 'changed')
    ORDER BY machine_id, requested_at, id`,
    [machines.map(({ id }) => id)],
  )
  return rows.map(({ job }) => job as JobRow) // to_jsonb of a row, with its events
}

async function readStatuses(world: World, machines: MachineInPlay[]): Promise<Map<number, string>> {
  const ids = machines.map(({ id }) => id)
  const rows = await world.postgres.query('SELECT id, status FROM machines WHERE id = ANY($1)', [ids])
  return new Map(rows.map(({ id, status }) => [Number(id), String(status)]))
}

function judgeJob({ id, command, state, version, events }: JobRow): string[] {
  const name = `${command} ${id}`
  const told = events.map((event) => event.version).join(' ')
  return [
    ...(['QUEUED', 'SENT', 'PENDING'].includes(state) ? [`${name} does not end: it is ${state}`] : []),
    ...(told === events.map((_, index) => index + 1).join(' ') ? [] : [`the timeline of ${name} has versions ${told}`]),
    ...(events.length === version ? [] : [`${name} is at version ${version} and has ${events.length} events`]),
    ...(events.at(-1)?.state === state ? [] : [`${name} is ${state}, its last event ${events.at(-1)?.state}`]),
  ]
}

/** @param jobs of one machine, in the order in which they were asked for */
export function judgeCommands(
  jobs: Pick<JobRow, 'id' | 'command' | 'state' | 'attempts'>[],
  commands: Pick<ReceivedCommand, 'job_id' | 'idempotency_key' | 'attempt' | 'command' | 'received_at' | 'not_after'>[],
): string[] {
  const found: string[] = []
  for (const [index, { job_id, idempotency_key, attempt, command, received_at, not_after }] of commands.entries()) {
    const name = `the command ${command} ${job_id} #${attempt}`
    const at = jobs.findIndex(({ id }) => id === job_id)
    const job = jobs[at]
    if (idempotency_key !== job_id) found.push(`${name} came under the key ${idempotency_key}`)
    if (job === undefined || attempt > job.attempts) found.push(`${name} is of no attempt that was begun`)
    const lateMs = Date.parse(received_at) - Date.parse(not_after)
    if (lateMs > travelMs) found.push(`${name} came ${lateMs} ms after its not_after`)
    const later = new Set(jobs.slice(at + 1).flatMap((each) => (each.command === 'STOP' ? [each.id] : [])))
    const isOutrun = command === 'START' && commands.slice(0, index).some((before) => later.has(before.job_id))
    if (isOutrun) found.push(`${name} came after a later STOP`)
  }
  return found
}

function judgeStatus(machine: MachineInPlay, jobs: JobRow[], status: string | undefined): string[] {
  const expected = expectStatus(jobs) ?? machine.body.status
  const { state } = machine.state()
  const isTrue = status === 'ERROR' || (status === 'RUNNING') === (state === 'running')
  return [
    ...(status === expected ? [] : [`machine ${machine.id} is ${status}, by its jobs ${expected}`]),
    ...(isTrue ? [] : [`machine ${machine.id} is said to be ${status}, and is ${state}`]),
  ]
}

/** What the last job that ended says of its machine; undefined when none says anything. */
function expectStatus(jobs: JobRow[]): string | undefined {
  const said = jobs.map(({ command, state, must_succeed }) => {
    if (state === 'SUCCEEDED') return command === 'START' ? 'RUNNING' : 'READY'
    return state === 'FAILED' || state === 'TIMED_OUT' || must_succeed ? 'ERROR' : undefined
  })
  return said.findLast((status) => status !== undefined)
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
