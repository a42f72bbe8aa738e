// A fleet of machines behind NAT that report every 10 s and fetch their commands, for the soak. Every answer may be lost.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { makeKey } from '../accounts/people.ts'
import type { Answer, Person, World } from '../harness.ts'
import { requestUntilAnswered } from './client.ts'
import { type CheckedCommand, checkCommands, checkJob, findUnrecorded, readJobs } from './invariants.ts'

type Outcome = { job_id: string; result: 'SUCCESS' }
type Machine = {
  id: number
  seq: number
  status: 'READY' | 'RUNNING'
  highestSequence: number
  outcome: Outcome | undefined
  received: CheckedCommand[]
}

export type Fleet = {
  ids: number[]
  /** Every machine reports once in `everySeconds`, until `signal` is aborted. */
  keepReporting(signal: AbortSignal, everySeconds?: number): Promise<void>
  /** The next answers with a command are lost. */
  loseCommands(count: number): void
  /** Every report is sent twice at the same time until this number of them has been. */
  sendTwice(count: number): void
  /** How often that has happened. */
  disturbances(): number
  /** Sends a command, and repeats the request until it is answered. */
  command(machineId: number, command: 'START' | 'STOP'): Promise<void>
  /** Sends commands to random machines of the fleet. */
  keepCommanding(signal: AbortSignal): Promise<void>
  /** Lets every machine report once more, and compares. Returns one line for each violation. */
  findViolations(): Promise<string[]>
  reports(): number
}

const intervalSeconds = 10
/** Between two commands to the fleet. */
const pauseMs = 200

export async function startFleet(world: World, owner: Person, size: number): Promise<Fleet> {
  const site = (await owner.request('POST', '/api/sites', { body: { name: 'Fleet' } })).body
  const rows = await world.postgres.query(
    `INSERT INTO machines (name, location, owner_id, site_id) SELECT 'Fleet ' || n, 'Hall', $1, $2
     FROM generate_series(1, $3::int) n RETURNING id`,
    [owner.id, site.id, size],
  )
  const key = await makeKey(world, owner, { scopes: ['report'], site_id: site.id })
  const machines = rows.map(({ id }): Machine => {
    return { id: Number(id), seq: 0, status: 'READY', highestSequence: 0, outcome: undefined, received: [] }
  })
  const bootId = randomUUID()
  const accepted: string[] = []
  let count = 0
  let [toLose, toDouble, disturbances] = [0, 0, 0]

  /** @returns undefined if the answer is lost */
  async function report(machine: Machine): Promise<Pick<Answer, 'status' | 'body'> | undefined> {
    machine.seq += 1
    count += 1
    const { id, seq, status, outcome } = machine
    const body = { boot_id: bootId, seq, status, cycles: seq, interval_seconds: intervalSeconds, outcome }
    const send = () => post(`${world.url}/api/machines/${id}/reports`, key.secret, body)
    const answers = await Promise.all(toDouble > 0 ? [send(), send()] : [send()])
    const answer = answers.find((each) => each?.status === 200 && each.body.command) ?? answers[0]
    if (toDouble > 0) [toDouble, disturbances] = [toDouble - 1, disturbances + 1]
    if (answer?.status !== 200) return undefined
    if (toLose > 0 && answer.body.command) {
      ;[toLose, disturbances] = [toLose - 1, disturbances + 1]
      return undefined
    }
    if (machine.outcome === outcome) machine.outcome = undefined
    if (answer.body.command) execute(machine, answer.body.command)
    return answer
  }

  /** Reports, and again at once while there is an outcome to tell. */
  async function reportAll(machine: Machine): Promise<boolean> {
    for (let round = 0; round < 5; round += 1) {
      if ((await report(machine)) && !machine.outcome) return true
    }
    return false
  }

  async function command(machineId: number, command: 'START' | 'STOP'): Promise<void> {
    const id = await requestUntilAnswered(owner, { machineId, command })
    if (id !== undefined) accepted.push(id)
  }

  return {
    ids: machines.map(({ id }) => id),
    command,
    reports: () => count,
    disturbances: () => disturbances,
    loseCommands(number) {
      toLose = number
    },
    sendTwice(number) {
      toDouble = number
    },
    async keepReporting(signal, everySeconds = intervalSeconds) {
      const one = async (machine: Machine, index: number) => {
        await delay((index / size) * everySeconds * 1_000, undefined, { signal }).catch(() => {})
        while (!signal.aborted) {
          await reportAll(machine)
          await delay(everySeconds * 1_000, undefined, { signal }).catch(() => {})
        }
      }
      await Promise.all(machines.map(one))
    },
    async keepCommanding(signal) {
      while (!signal.aborted) {
        const machine = machines[Math.floor(Math.random() * size)]
        if (machine) await command(machine.id, machine.status === 'READY' ? 'START' : 'STOP')
        await delay(pauseMs, undefined, { signal }).catch(() => {})
      }
    },
    async findViolations() {
      const silent: string[] = []
      for (const machine of machines)
        if (!(await reportAll(machine))) silent.push(`machine ${machine.id} cannot report`)
      const { jobs, statuses } = await readJobs(world, machines)
      const known = new Set(jobs.map(({ id }) => id))
      return [
        ...silent,
        ...accepted.filter((id) => !known.has(id)).map((id) => `job ${id} was accepted and is lost`),
        ...jobs.flatMap(checkJob),
        ...machines.flatMap(({ id, status, received }) => {
          const own = jobs.filter(({ machine_id }) => machine_id === id)
          const shown = statuses.get(id)
          return [
            ...checkCommands(own, received),
            ...(shown === status ? [] : [`machine ${id} is ${status}, and is shown as ${shown}`]),
          ]
        }),
        ...(await findUnrecorded(world, machines)),
      ]
    },
  }
}

/** Without the check against the document, which would cost this computer more than the Worker does. */
async function post(url: string, secret: string, body: object): Promise<Pick<Answer, 'status' | 'body'> | undefined> {
  const headers = { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' }
  try {
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: answer.status, body: JSON.parse(await answer.text()) }
  } catch {
    return undefined // the connection is cut while the Worker is killed
  }
}

/** As a controller must: each job once, in order. */
function execute(machine: Machine, command: Omit<CheckedCommand, 'received_at' | 'done' | 'idempotency_key'>): void {
  const { job_id, sequence } = command
  const isKnown = machine.received.some((each) => each.job_id === job_id)
  const isExecuted = !isKnown && sequence >= machine.highestSequence
  machine.received.push({
    ...command,
    idempotency_key: job_id,
    received_at: new Date().toISOString(),
    done: isExecuted,
  })
  if (isExecuted) {
    machine.highestSequence = sequence
    machine.status = command.command === 'START' ? 'RUNNING' : 'READY'
  }
  machine.outcome = { job_id, result: 'SUCCESS' }
}
