// Plays one cell of the fault matrix: the life of a job up to its step, the fault, the recovery; beside it, on another
// machine, a START that a STOP takes the place of meanwhile. Answers what does not hold afterwards.
import { type MachineInPlay, type Person, poll, type World } from '../harness.ts'
import { answerLate, fail, only, open } from '../platform/faults.ts'
import { insist, trySweep } from './client.ts'
import { passTime } from './clock.ts'
import { arm } from './inject-fault.ts'
import { findViolations } from './invariants.ts'
import { isReached, recover } from './recovery.ts'
import type { Cell } from './scenarios.ts'

type Play = { world: World; owner: Person; cell: Cell; machine: MachineInPlay; accepted: string[] }

const strikeWithinMs = 20_000

export async function play(world: World, owner: Person, cell: Cell): Promise<string[]> {
  world.exchanges.length = 0
  const [machine, beside] = await Promise.all([world.createMachine(owner), world.createMachine(owner)])
  const played: Play = { world, owner, cell, machine, accepted: [] }
  const isStruck =
    cell.service === 'controller' && cell.step === 'outcome' ? await playReport(played) : await hit(played, beside)
  await recover(world)
  const violations = await findViolations({ world, machines: [machine, beside], accepted: played.accepted })
  return isStruck ? violations : ['the fault never struck', ...violations]
}

async function hit(played: Play, beside: MachineInPlay): Promise<boolean> {
  const { world, cell } = played
  const command = await lead(played)
  let jobId = ''
  if (cell.step === 'sweep') jobId = await requestUnpublished(played)
  const strike = arm(world, cell, () => jobId)
  const others = supersede(played, beside)
  if (cell.step !== 'sweep') {
    const expiresIn = isLateClaim(cell) ? 2 : undefined
    jobId = await accept(played, played.machine, command, expiresIn)
  }
  const isStruck = await isReached(async () => {
    if (cell.step === 'sweep') await trySweep(world)
    if (cell.step === 'failed') world.qstash.advance(60_000)
    return strike.hasStruck()
  }, strikeWithinMs)
  if (cell.service === 'qstash' && cell.step === 'claim' && cell.fault === 'hang') await handOverAgain(world)
  await others
  await strike.over()
  return isStruck
}

/** A START whose time is over when the claim is answered, or when the message arrives. */
function isLateClaim({ service, fault, step }: Cell): boolean {
  return step === 'claim' && service !== 'redis' && (fault === 'slow' || fault === 'hang')
}

/** Brings the machine to where the step will be reached. @returns the command to request */
async function lead({ world, owner, cell, machine, accepted }: Play): Promise<'START' | 'STOP'> {
  if (cell.step !== 'failed') return 'START'
  const busy = { mode: 'fail', status: 503 } as const
  if (cell.service === 'redis') {
    machine.behave({ ...busy, times: 4 }) // the callback finds no attempt left: it ends the job, and tells Redis
    return 'START'
  }
  const id = await insist(owner, { machineId: machine.id, command: 'START' })
  if (id === undefined) throw new Error('the first START was refused')
  accepted.push(id)
  await world.waitForJob(owner, id, 'SUCCEEDED')
  machine.behave({ ...busy, times: 6 }) // the callback hands the STOP over again
  return 'STOP'
}

async function accept(played: Play, machine: MachineInPlay, command: 'START' | 'STOP', expiresIn?: number) {
  const id = await insist(played.owner, { machineId: machine.id, command, expiresIn })
  if (id === undefined) throw new Error(`the ${command} was refused`)
  played.accepted.push(id)
  return id
}

/** A START that QStash did not take, and that is now the sweep's: for Redis one whose time is over. */
async function requestUnpublished(played: Play): Promise<string> {
  const { world, cell, machine } = played
  world.faults.qstash.pass = fail()
  const id = await accept(played, machine, 'START')
  world.faults.qstash.pass = open
  await passTime(world, cell.service === 'redis' ? 61 : 6)
  return id
}

/** A START that takes its time, and a STOP that does not wait for it. The STOP is refused if the START has failed by then. */
async function supersede({ owner, accepted }: Play, { id, behave }: MachineInPlay): Promise<void> {
  behave({ mode: 'slow', after_ms: 800, only: 'START', times: 1 })
  for (const command of ['START', 'STOP'] as const) {
    const jobId = await insist(owner, { machineId: id, command })
    if (jobId !== undefined) accepted.push(jobId)
  }
}

/** As if QStash had said nothing for longer than all its tries may take. */
async function handOverAgain(world: World): Promise<void> {
  await passTime(world, 40)
  await trySweep(world)
}

/** The cells of the report: a controller that answered PENDING, and what it says later. */
async function playReport(played: Play): Promise<boolean> {
  const { world, cell, machine } = played
  const { fault } = cell
  const afterMs = { slow: 4_000, error: 1_500, double: 300, order: 0 }
  if (fault === 'away') machine.behave({ mode: 'fail', status: 200, body: { result: 'PENDING' }, times: 1 })
  else machine.behave({ mode: 'warm-up', after_ms: afterMs[fault as keyof typeof afterMs], times: 1 }) // all that is left
  // The report overtakes the answer.
  if (fault === 'order') world.faults.controller.pass = only(answerLate(1_500), { count: 1 })
  const jobId = await accept(played, machine, 'START')
  const [states] = fault === 'order' || fault === 'double' ? [['SUCCEEDED']] : [['PENDING']]
  await world.waitForJob(played.owner, jobId, ...states)
  if (fault === 'away' || fault === 'slow') {
    await passTime(world, 610)
    await trySweep(world)
    await world.waitForJob(played.owner, jobId, 'TIMED_OUT')
  }
  if (fault === 'error') await report(played, jobId, { result: 'MAYBE' }, 422)
  if (fault === 'double') await Promise.all([1, 2].map(() => report(played, jobId, { result: 'SUCCESS' }, 200)))
  if (fault !== 'away') await untilReported(machine)
  return true
}

async function report({ world, machine }: Play, jobId: string, body: unknown, status: number): Promise<void> {
  const token = machine.commands()[0]?.outcome_token
  const answer = await world.request('POST', `/api/callbacks/jobs/${jobId}/outcome`, { token, body })
  if (answer.status !== status) throw new Error(`a report was answered ${answer.status}: ${answer.text}`)
}

/** The machine has said it, and was heard. */
async function untilReported(machine: MachineInPlay): Promise<void> {
  const look = async () => {
    const reports = machine.commands()[0]?.reports
    return { isDone: reports?.at(-1)?.status === 200, value: reports }
  }
  await poll(look, 'the report to be taken')
}
