// The steps of a random sequence. Each step runs on the real statements and on the model.
import * as fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import type { Caller } from '../../src/http/context.ts'
import { type Database, UniqueViolation } from '../../src/infra/database.ts'
import { commandRules } from '../../src/jobs/commands.ts'
import type { ControllerResult } from '../../src/jobs/job.ts'
import { cancelJob } from '../../src/jobs/sql/cancel.ts'
import { claim } from '../../src/jobs/sql/claim.ts'
import { createJob } from '../../src/jobs/sql/create.ts'
import { selectOpenJobs } from '../../src/jobs/sql/fragments.ts'
import { handleDeliveryFailure, markPublished, redispatchDueJobs } from '../../src/jobs/sql/redispatch.ts'
import { settle } from '../../src/jobs/sql/settle.ts'
import { TiebarError } from '../../src/kernel/error.ts'
import { changeMachine } from '../../src/machines/store.ts'
import type { Attempt, Model, ModelJob } from './model.ts'

const results: ControllerResult[] = ['SUCCESS', 'REMOTEFAILED', 'PENDING', 'bad_answer', 'may_have_executed', 'busy']
const command = fc.constantFrom('START' as const, 'STOP' as const)

const recent = fc.nat({ max: 1 })
const kinds = {
  request: fc.record({ do: fc.constant('request' as const), command, isTaken: fc.boolean(), isTwin: fc.boolean() }),
  intrude: fc.record({ do: fc.constant('intrude' as const), command }),
  cancel: fc.record({ do: fc.constant('cancel' as const), nth: recent }),
  deliver: fc.record({ do: fc.constant('deliver' as const), nth: recent }),
  answer: fc.record({ do: fc.constant('answer' as const), nth: recent, result: fc.constantFrom(...results) }),
  report: fc.record({
    do: fc.constant('report' as const),
    nth: fc.nat({ max: 2 }),
    result: fc.constantFrom('SUCCESS' as const, 'REMOTEFAILED' as const),
  }),
  sendFailureCallback: fc.record({ do: fc.constant('give up' as const), nth: recent, isTaken: fc.boolean() }),
  sweep: fc.record({ do: fc.constant('sweep' as const), isTaken: fc.boolean() }),
  wait: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 5, 6, 20, 20, 20, 37, 61, 600) }),
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
  { weight: 15, arbitrary: kinds.sendFailureCallback },
  { weight: 15, arbitrary: kinds.sweep },
  { weight: 40, arbitrary: kinds.wait },
  { weight: 15, arbitrary: kinds.setStatus },
  { weight: 5, arbitrary: kinds.setController },
  { weight: 1, arbitrary: kinds.delete },
)
export type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never

export type Real = {
  database: Database
  owner: Caller
  stranger: Caller
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
      const { decision } = await createJob(database, real.stranger, asked, undefined)
      agree(
        decision,
        remember(model, ids, jobId, () => model.request(action.command, true, 60)),
      )
      return
    }
    case 'cancel': {
      const [job, id] = pick(action.nth) ?? []
      if (!job || !id) return
      await cancelJob(database, real.owner, id, null)
      return model.cancel(job)
    }
    case 'deliver': {
      const [job, id] = pick(action.nth) ?? []
      if (!job || !id) return
      const claimed = await claim(database, id)
      const begun = model.deliver(job)
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
    case 'give up': {
      const [job, id] = pick(action.nth) ?? []
      if (!job || !id) return
      const carried = await handleDeliveryFailure(database, id)
      await notTaken(database, action.isTaken, carried ? [carried] : [])
      return model.sendFailureCallback(job, action.isTaken)
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
  { command, isTaken, isTwin }: Extract<Action, { do: 'request' }>,
  model: Model,
  { database, owner, machineId, ids }: Real,
): Promise<void> {
  const jobId = uuidv7()
  const seconds = commandRules[command].expiresInSeconds
  const key = { accountId: owner.accountId, method: 'POST', path: '/', key: jobId, fingerprint: '' }
  const { decision } = await createJob(database, owner, { jobId, machineId, command, expiresInSeconds: seconds }, key)
  agree(
    decision,
    remember(model, ids, jobId, () => model.request(command, false, seconds)),
  )
  if (decision === 'accepted' && isTaken) {
    await markPublished(database, [{ jobId, publishNo: 1 }], true)
    const job = model.jobs.at(-1)
    if (job) job.publishedAt = model.now
  }
  if (!isTwin || decision === 'not_found') return
  const twin = { jobId: uuidv7(), machineId, command, expiresInSeconds: seconds }
  const failure = await createJob(database, owner, twin, key).catch((error: unknown) => error)
  agree(failure instanceof UniqueViolation && failure.constraint, 'idempotency_keys_key')
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
  if (!isTaken && sent.length > 0) await markPublished(database, sent, false)
}

async function change(real: Real, change: Parameters<typeof changeMachine>[3], ask: () => boolean): Promise<void> {
  const isDone = await changeMachine(real.database, real.owner, real.machineId, change, undefined, selectOpenJobs).then(
    () => true,
    (error: unknown) => {
      if (error instanceof TiebarError) return false
      throw error
    },
  )
  agree(isDone, ask())
}

/** @throws Error when the statements and the model disagree */
export function agree(real: unknown, model: unknown): void {
  const [one, other] = [JSON.stringify(real), JSON.stringify(model)]
  if (one !== other) throw new Error(`PostgreSQL says ${one}\nthe model says  ${other}`)
}
