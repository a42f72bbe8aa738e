// Runs one scenario of the fault matrix: a job up to the step of the scenario, the fault, the recovery. At the same time
// a STOP supersedes a START on another machine. Returns the invariants that are violated afterwards.
import { type Person, poll, type TestMachine, type World } from '../harness.ts'
import { answerLate, fail, only, open } from '../platform/faults.ts'
import { requestUntilAnswered, trySweep } from './client.ts'
import { passTime } from './clock.ts'
import { injectFault } from './inject-fault.ts'
import { findViolations } from './invariants.ts'
import { isReached, recover } from './recovery.ts'
import { runPull } from './run-pull.ts'
import type { Scenario } from './scenarios.ts'

type Run = { world: World; owner: Person; scenario: Scenario; machine: TestMachine; accepted: string[] }

const injectWithinMs = 20_000
const stepSeconds = 4

export async function runScenario(world: World, owner: Person, scenario: Scenario): Promise<string[]> {
  world.exchanges.length = 0
  if (scenario.transport === 'pull') return runPull(world, owner, scenario)
  const create = scenario.step === 'confirm' ? world.createUnconfirmedMachine : world.createMachine
  const [machine, otherMachine] = await Promise.all([create(owner), create(owner)])
  const run: Run = { world, owner, scenario, machine, accepted: [] }
  const wasInjected =
    scenario.service === 'controller' && scenario.step === 'outcome'
      ? await runReportScenario(run)
      : await runWithFault(run, otherMachine)
  await recover(world)
  const violations = await findViolations({ world, machines: [machine, otherMachine], accepted: run.accepted })
  return wasInjected ? violations : ['the fault was never injected', ...violations]
}

async function runWithFault(run: Run, otherMachine: TestMachine): Promise<boolean> {
  const { world, scenario } = run
  const command = await prepareMachine(run)
  let jobId = ''
  if (scenario.step === 'sweep') jobId = await requestUnpublished(run)
  const injected = injectFault(world, scenario, () => jobId)
  // The fault is at the first claim. Where the START must expire by it, that has to be its own.
  const others = expiresBeforeClaim(scenario) ? undefined : startAndStop(run, otherMachine)
  if (scenario.step !== 'sweep') {
    const expiresIn = expiresBeforeClaim(scenario) ? 2 : undefined
    jobId = await requestJob(run, run.machine, command, expiresIn)
  }
  const wasInjected = await isReached(async () => {
    if (scenario.step === 'sweep') await trySweep(world)
    // No attempt is in progress. The delays between the attempts pass, and a START does not expire.
    if (scenario.step === 'failed' && world.qstash.inFlightCount() === 0) await passTime(world, stepSeconds)
    return injected.wasInjected()
  }, injectWithinMs)
  if (scenario.service === 'qstash' && scenario.step === 'claim' && scenario.fault === 'hang')
    await redispatchBySweep(world)
  await (others ?? startAndStop(run, otherMachine))
  await injected.end()
  return wasInjected
}

/** True when the START expires before the claim is answered or the message arrives. */
function expiresBeforeClaim({ service, fault, step }: Scenario): boolean {
  return step === 'claim' && service !== 'redis' && (fault === 'slow' || fault === 'hang')
}

/** Prepares the machine so that the job reaches the step. @returns the command to request */
async function prepareMachine({ world, owner, scenario, machine, accepted }: Run): Promise<'START' | 'STOP'> {
  if (scenario.step !== 'failed') return 'START'
  const busy = { mode: 'fail', status: 503 } as const
  if (scenario.service === 'redis') {
    machine.behave({ ...busy, times: 4 }) // the callback finds no attempt left, ends the job and updates Redis
    return 'START'
  }
  const id = await requestUntilAnswered(owner, { machineId: machine.id, command: 'START' })
  if (id === undefined) throw new Error('the first START was refused')
  accepted.push(id)
  await world.waitForJob(owner, id, 'SUCCEEDED')
  machine.behave({ ...busy, times: 6 }) // the callback publishes the STOP again
  return 'STOP'
}

async function requestJob(run: Run, machine: TestMachine, command: 'START' | 'STOP', expiresIn?: number) {
  const id = await requestUntilAnswered(run.owner, { machineId: machine.id, command, expiresIn })
  if (id === undefined) throw new Error(`the ${command} was refused`)
  run.accepted.push(id)
  return id
}

/** Requests a START that QStash refuses, so that the sweep handles it. For Redis the START has expired by then. */
async function requestUnpublished(run: Run): Promise<string> {
  const { world, scenario, machine } = run
  world.faults.qstash.pass = fail()
  const id = await requestJob(run, machine, 'START')
  world.faults.qstash.pass = open
  await passTime(world, scenario.service === 'redis' ? 61 : 6)
  return id
}

/** Requests a slow START and at once a STOP, which is accepted whatever the START has done by then. */
async function startAndStop(run: Run, machine: TestMachine): Promise<void> {
  machine.behave({ mode: 'slow', after_ms: 800, only: 'START', times: 1 })
  for (const command of ['START', 'STOP'] as const) await requestJob(run, machine, command)
}

/** Makes the sweep publish the job again, as if QStash had been silent for longer than all its retries take. */
async function redispatchBySweep(world: World): Promise<void> {
  await passTime(world, 40)
  await trySweep(world)
}

/** Runs a scenario of a report: the controller answers PENDING and reports the outcome later. */
async function runReportScenario(run: Run): Promise<boolean> {
  const { world, scenario, machine } = run
  const { fault } = scenario
  const afterMs = { slow: 4_000, error: 1_500, double: 300, order: 0 }
  if (fault === 'away') machine.behave({ mode: 'fail', status: 200, body: { result: 'PENDING' }, times: 1 })
  else machine.behave({ mode: 'warm-up', after_ms: afterMs[fault as keyof typeof afterMs], times: 1 }) // its keys are the other faults
  // The report arrives before the answer.
  if (fault === 'order') world.faults.controller.pass = only(answerLate(1_500), { count: 1 })
  const jobId = await requestJob(run, machine, 'START')
  const [states] = fault === 'order' || fault === 'double' ? [['SUCCEEDED']] : [['PENDING']]
  await world.waitForJob(run.owner, jobId, ...states)
  if (fault === 'away' || fault === 'slow') {
    await passTime(world, 610)
    await trySweep(world)
    await world.waitForJob(run.owner, jobId, 'TIMED_OUT')
  }
  if (fault === 'error') await report(run, jobId, { result: 'MAYBE' }, 422)
  if (fault === 'double') await Promise.all([1, 2].map(() => report(run, jobId, { result: 'SUCCESS' }, 200)))
  if (fault !== 'away') await untilReported(machine)
  return true
}

async function report({ world, machine }: Run, jobId: string, body: unknown, status: number): Promise<void> {
  const token = machine.commands()[0]?.outcome_token
  const answer = await world.request('POST', `/api/callbacks/jobs/${jobId}/outcome`, { token, body })
  if (answer.status !== status) throw new Error(`the report was answered ${answer.status}: ${answer.text}`)
}

/** Waits until the controller's report has been accepted. */
async function untilReported(machine: TestMachine): Promise<void> {
  const look = async () => {
    const reports = machine.commands()[0]?.reports
    return { isDone: reports?.at(-1)?.status === 200, value: reports }
  }
  await poll(look, 'the report to be taken')
}
