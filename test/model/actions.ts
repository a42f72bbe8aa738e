// The steps of a random sequence. Each step runs on the real statements and on the model.
import * as fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import type { Caller, KeyCaller, SessionCaller } from '../../src/http/context.ts'
import type { Database } from '../../src/infra/database.ts'
import { UniqueViolation } from '../../src/infra/database-error.ts'
import { commandRules } from '../../src/jobs/commands.ts'
import type { JobContext } from '../../src/jobs/context.ts'
import type { ControllerResult } from '../../src/jobs/job.ts'
import { handleReports } from '../../src/jobs/pull.ts'
import { cancelJob } from '../../src/jobs/sql/cancel.ts'
import { claim } from '../../src/jobs/sql/claim.ts'
import { createJob } from '../../src/jobs/sql/create.ts'
import { selectOpenJobs } from '../../src/jobs/sql/fragments.ts'
import { overrideHold, removeHold } from '../../src/jobs/sql/holds.ts'
import { placeHold } from '../../src/jobs/sql/place-hold.ts'
import {
  markUnpublished,
  redispatchDueJobs,
  redispatchJob,
  redispatchUnpublished,
} from '../../src/jobs/sql/redispatch.ts'
import { settle } from '../../src/jobs/sql/settle.ts'
import { TiebarError } from '../../src/kernel/error.ts'
import { type ChangeMachine, createChangeMachine } from '../../src/machines/sql/change.ts'
import { type Role, roles } from '../../src/sites/role.ts'
import type { Attempt, ModelJob, Requester } from './job.ts'
import type { Model, Told } from './model.ts'

const results: ControllerResult[] = [
  ...(['SUCCESS', 'REMOTEFAILED', 'PENDING', 'bad_answer', 'may_have_executed', 'busy', 'not_confirmed'] as const),
]
const requester = fc.constantFrom<Requester[]>('owner', 'owner', 'staff', 'member', 'member', 'program')
const command = fc.constantFrom('START' as const, 'STOP' as const)

const recent = fc.nat({ max: 1 })
const kinds = {
  request: fc.record({ do: fc.constant('request' as const), command, requester, isTwin: fc.boolean() }),
  republish: fc.record({ do: fc.constant('republish' as const), nth: recent, isTaken: fc.boolean() }),
  setStaff: fc.record({ do: fc.constant('set staff' as const), isStaff: fc.boolean() }),
  setMember: fc.record({
    do: fc.constant('set member' as const),
    role: fc.constantFrom<(Role | null)[]>(...roles, 'operator', null),
    seconds: fc.constantFrom(5, 61, 1_000_000),
  }),
  revokeKey: fc.record({ do: fc.constant('revoke key' as const) }),
  placeHold: fc.record({
    do: fc.constant('place hold' as const),
    by: fc.constantFrom('owner' as const, 'member' as const, 'stranger' as const),
  }),
  removeHold: fc.record({
    do: fc.constant('remove hold' as const),
    by: fc.constantFrom('owner' as const, 'member' as const),
    isOverride: fc.boolean(),
  }),
  intrude: fc.record({ do: fc.constant('intrude' as const), command }),
  cancel: fc.record({ do: fc.constant('cancel' as const), nth: recent }),
  deliver: fc.record({
    do: fc.constant('deliver' as const),
    nth: recent,
    by: fc.constantFrom('queue' as const, 'worker' as const),
  }),
  answer: fc.record({ do: fc.constant('answer' as const), nth: recent, result: fc.constantFrom(...results) }),
  report: fc.record({
    do: fc.constant('report' as const),
    nth: fc.nat({ max: 2 }),
    result: fc.constantFrom('SUCCESS' as const, 'REMOTEFAILED' as const),
  }),
  machineReport: fc.record({
    do: fc.constant('machine report' as const),
    status: fc.constantFrom('READY' as const, 'READY' as const, 'RUNNING' as const, 'ERROR' as const),
    isRemote: fc.constantFrom(true, true, true, true, false),
    from: fc.constantFrom(
      'next' as const,
      'next' as const,
      'next' as const,
      'repeated' as const,
      'new boot' as const,
      'old boot' as const,
    ),
    nth: fc.nat({ max: 1 }),
    result: fc.constantFrom(null, null, 'SUCCESS' as const, 'REMOTEFAILED' as const, 'PENDING' as const),
  }),
  sendFailureCallback: fc.record({ do: fc.constant('give up' as const), nth: recent, isTaken: fc.boolean() }),
  sweep: fc.record({ do: fc.constant('sweep' as const), isTaken: fc.boolean() }),
  wait: fc.record({
    do: fc.constant('wait' as const),
    seconds: fc.constantFrom(1, 2, 4, 5, 8, 20, 20, 20, 31, 61, 600),
  }),
  setStatus: fc.record({
    do: fc.constant('set status' as const),
    status: fc.constantFrom('READY' as const, 'READY' as const, 'POWEROFF' as const, 'ERROR' as const),
  }),
  setController: fc.record({
    do: fc.constant('set controller' as const),
    hasController: fc.constantFrom(true, true, false),
  }),
  delete: fc.record({ do: fc.constant('delete' as const) }),
}

/**
 * `nth` counts from the newest. `isTaken`: QStash accepted the message. `isTwin`: the request is repeated with its key.
 * Steps that end the use of a machine are rare, so that sequences stay long.
 */
export const action = fc.oneof(
  { weight: 40, arbitrary: kinds.request },
  { weight: 3, arbitrary: kinds.intrude },
  { weight: 5, arbitrary: kinds.cancel },
  { weight: 60, arbitrary: kinds.deliver },
  { weight: 60, arbitrary: kinds.answer },
  { weight: 20, arbitrary: kinds.report },
  { weight: 60, arbitrary: kinds.machineReport },
  { weight: 15, arbitrary: kinds.sendFailureCallback },
  { weight: 15, arbitrary: kinds.sweep },
  { weight: 5, arbitrary: kinds.republish },
  { weight: 8, arbitrary: kinds.setStaff },
  { weight: 20, arbitrary: kinds.setMember },
  { weight: 8, arbitrary: kinds.revokeKey },
  { weight: 10, arbitrary: kinds.placeHold },
  { weight: 20, arbitrary: kinds.removeHold },
  { weight: 40, arbitrary: kinds.wait },
  { weight: 15, arbitrary: kinds.setStatus },
  { weight: 5, arbitrary: kinds.setController },
  { weight: 1, arbitrary: kinds.delete },
)
export type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never

export type Real = {
  database: Database
  /** With this database, and without Redis. */
  context: JobContext
  /** Reports for the machine, if it can report. */
  reporter: KeyCaller
  callers: Record<Exclude<Requester, 'program'>, SessionCaller> & { program: KeyCaller }
  /** Gives or takes the staff rights of the account `staff`. */
  setStaff(isStaff: boolean): Promise<void>
  /** Gives the account `member` a role that expires after these seconds; null: takes it. */
  setMember(role: Role | null, seconds: number): Promise<void>
  revokeKey(): Promise<void>
  /** The ids of the holds of this account that are in force. */
  holdsOf(requester: 'owner' | 'member'): Promise<number[]>
  machineId: number
  ids: Map<ModelJob, string>
  attempts: Attempt[]
  /** Lets this time pass for the machine. */
  pass(seconds: number): Promise<void>
}

export async function take(action: Action, model: Model, real: Real): Promise<void> {
  const { database, ids, attempts } = real
  const pick = (nth: number): [ModelJob, string] | undefined => {
    const [job, id] = [...ids].at(-1 - nth) ?? []
    return job && id !== undefined ? [job, id] : undefined
  }
  switch (action.do) {
    case 'request':
      return request(action, model, real)
    case 'intrude': {
      const jobId = uuidv7()
      const asked = { jobId, machineId: real.machineId, command: action.command, expiresInSeconds: 60 }
      const { decision } = await createJob(database, real.callers.stranger, asked, undefined)
      agree(
        decision,
        remember(model, ids, jobId, () => model.request(action.command, 'stranger', 60)),
      )
      return
    }
    case 'cancel': {
      const [job, id] = pick(action.nth) ?? []
      if (!job || !id) return
      await cancelJob(database, real.callers.owner, id, null)
      return model.cancel(job)
    }
    case 'deliver': {
      const [job, id] = pick(action.nth) ?? []
      if (!job || !id) return
      const claimed = await claim(database, id, action.by)
      const begun = model.deliver(job, action.by)
      agree(claimed?.step === 'send', begun !== undefined)
      if (begun) attempts.push(begun)
      return
    }
    case 'answer': {
      const attempt = attempts.at(-1 - action.nth)
      const id = attempt && ids.get(attempt.job)
      if (!attempt || !id) return
      const { result } = action
      await settle(database, id, {
        result,
        detail: null,
        attempt: attempt.attempt,
        mayHaveExecutedBefore: attempt.mayHaveExecutedBefore,
      })
      return model.settle(attempt.job, result, attempt)
    }
    case 'report': {
      const [job, id] = pick(action.nth) ?? []
      if (!job || !id) return
      await settle(database, id, { result: action.result, detail: null, attempt: null, mayHaveExecutedBefore: true })
      return model.settle(job, action.result)
    }
    case 'machine report': {
      const [job] = pick(action.nth) ?? []
      const told = job && action.result ? { job, result: action.result } : undefined
      return reportMachine(action, model, real, told)
    }
    case 'give up': {
      const [job, id] = pick(action.nth) ?? []
      if (!job || !id) return
      const carried = await redispatchJob(database, id)
      await notTaken(database, action.isTaken, carried ? [carried] : [])
      return model.redispatch(job, action.isTaken)
    }
    case 'republish': {
      const [job, id] = pick(action.nth) ?? []
      if (!job || !id) return
      const carried = await redispatchUnpublished(database, real.callers.owner, { id, machine_id: real.machineId })
      await notTaken(database, action.isTaken, carried ? [carried] : [])
      if (job.publishedAt === null) model.redispatch(job, action.isTaken)
      return
    }
    case 'set staff':
      await real.setStaff(action.isStaff)
      model.isStaff = action.isStaff
      return
    case 'set member': {
      const { role, seconds } = action
      await real.setMember(role, seconds)
      model.membership = role ? { role, until: model.now + seconds } : undefined
      return
    }
    case 'revoke key':
      await real.revokeKey()
      model.isKeyRevoked = true
      return
    case 'place hold': {
      const { machineId, callers } = real
      const placed = await placeHold(database, callers[action.by], machineId, 'reason').then(() => true, falseIfRefused)
      agree(placed, model.placeHold(action.by))
      return
    }
    case 'remove hold': {
      const { machineId, callers, holdsOf } = real
      const [hold] = await holdsOf(action.by)
      agree(hold !== undefined, model.holders.has(action.by))
      if (hold === undefined) return
      const ending = action.isOverride
        ? overrideHold(database, callers.owner, machineId, hold, 'reason')
        : removeHold(database, callers[action.by], machineId, hold)
      const isDone = await ending.then(() => true, falseIfRefused)
      agree(isDone, !(action.isOverride && model.isDeleted))
      if (isDone) model.holders.delete(action.by)
      return
    }
    case 'sweep':
      await notTaken(database, action.isTaken, await redispatchDueJobs(database, 100))
      return model.sweep(action.isTaken)
    case 'wait':
      await real.pass(action.seconds)
      model.now += action.seconds
      return
    case 'set status':
      return change(real, { status: action.status }, () => model.change({ status: action.status }))
    case 'set controller': {
      const controller_url = action.hasController ? 'http://controller.example' : null
      return change(real, { controller_url }, () => model.change({ hasController: action.hasController }))
    }
    case 'delete':
      return change(real, 'delete', () => model.change({ isDeleted: true }))
  }
}

async function request(
  { command, requester, isTwin }: Extract<Action, { do: 'request' }>,
  model: Model,
  { database, callers, machineId, ids }: Real,
): Promise<void> {
  const caller: Caller = callers[requester]
  const jobId = uuidv7()
  const seconds = commandRules[command].expiresInSeconds
  const key = { callerName: requester, method: 'POST', path: '/', key: jobId, fingerprint: '' }
  const ask = (id: string) =>
    createJob(database, caller, { jobId: id, machineId, command, expiresInSeconds: seconds }, key)
  const decision = await ask(jobId).then(({ decision }) => decision, undefinedIf('session_ended'))
  agree(
    decision,
    remember(model, ids, jobId, () => model.request(command, requester, seconds)),
  )
  if (!isTwin || decision === undefined || decision === 'not_found') return
  const failure = await ask(uuidv7()).catch((error: unknown) => error)
  agree(failure instanceof UniqueViolation && failure.constraint, 'idempotency_keys_key')
}

async function reportMachine(
  { status, isRemote, from }: Extract<Action, { do: 'machine report' }>,
  model: Model,
  { context, reporter, machineId, ids, attempts }: Real,
  told: Told | undefined,
): Promise<void> {
  if (!model.canReport) return
  const { boot: lastBoot = 0, seq: lastSeq = 0, previousBoot = lastBoot } = model.report ?? {}
  const [boot, seq] = {
    next: [lastBoot, lastSeq + 1],
    repeated: [lastBoot, lastSeq],
    'new boot': [lastBoot + 1, 1],
    'old boot': [previousBoot, 1],
  }[from] as [number, number] // of each kind
  const outcome = told && { job_id: ids.get(told.job) ?? '', result: told.result }
  const report = { machine_id: machineId, boot_id: `boot ${boot}`, seq, status, remote_enabled: isRemote, outcome }
  const [handled] = await handleReports(context, reporter, [report], null)
  const begun = model.takeReport({ boot, seq, status, isRemote }, told)
  agree(handled?.command?.id, begun && ids.get(begun.job))
  if (begun) attempts.push(begun)
}

/** For `catch`: returns undefined for an error with this code. @throws any other error */
function undefinedIf(code: TiebarError['code']): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof TiebarError && error.code === code) return
    throw error
  }
}

/** For `catch`. @throws any error that is not a refusal */
function falseIfRefused(error: unknown): false {
  if (error instanceof TiebarError) return false
  throw error
}

/** Assigns this id to the job that the model has created, if any. */
function remember<Result>(model: Model, ids: Real['ids'], jobId: string, ask: () => Result): Result {
  const before = model.jobs.length
  const result = ask()
  const job = model.jobs.at(-1)
  if (job && model.jobs.length > before) ids.set(job, jobId)
  return result
}

async function notTaken(
  database: Database,
  isTaken: boolean,
  carried: { job: { id: string }; publishNo: number | null }[],
): Promise<void> {
  const sent = carried.flatMap(({ job, publishNo }) => (publishNo === null ? [] : [{ jobId: job.id, publishNo }]))
  if (!isTaken && sent.length > 0) await markUnpublished(database, sent)
}

const changeMachine = createChangeMachine(selectOpenJobs)

async function change(real: Real, change: Parameters<ChangeMachine>[3], ask: () => boolean): Promise<void> {
  const isDone = await changeMachine(real.database, real.callers.owner, real.machineId, change, undefined).then(
    () => true,
    falseIfRefused,
  )
  agree(isDone, ask())
}

/** @throws Error when the statements and the model disagree */
export function agree(real: unknown, model: unknown): void {
  const [one, other] = [JSON.stringify(real), JSON.stringify(model)]
  if (one !== other) throw new Error(`PostgreSQL says ${one}\nthe model says  ${other}`)
}
