// The model of a machine and its jobs, without SQL. The statements must agree with it. Times are seconds.
import type { Command } from '../../src/jobs/commands.ts'
import type { ControllerResult, JobReason, JobResult, JobState } from '../../src/jobs/job.ts'

export type ModelJob = {
  command: Command
  state: JobState
  result: JobResult | null
  reason: JobReason | null
  attempts: number
  version: number
  publishNo: number
  publishedAt: number | null
  requestedAt: number
  notAfter: number
  pendingSince: number
  /** An attempt may have been executed. */
  mayHaveExecuted: boolean
  mustSucceed: boolean
  isStrangers: boolean
  notes: string[]
}

export type Attempt = { job: ModelJob; attempt: number; mayHaveExecutedBefore: boolean }

const isOpen = ({ state }: ModelJob) => state === 'QUEUED' || state === 'SENT' || state === 'PENDING'
const isRefusal = ({ state, reason }: ModelJob) => state === 'REJECTED' && reason !== 'changed'

export class Model {
  now = 0
  status = 'READY'
  isDeleted = false
  hasController = true
  lease: { job: ModelJob; attempt: number; until: number } | undefined
  readonly jobs: ModelJob[] = []

  get isLeased(): boolean {
    return this.lease !== undefined && this.lease.until > this.now
  }

  /** At most one: a STOP supersedes a START, and all other commands are refused. */
  get openJob(): ModelJob | undefined {
    return this.jobs.find(isOpen)
  }

  request(command: Command, isStrangers: boolean, seconds: number): 'accepted' | 'not_found' | JobReason {
    if (this.isDeleted) return 'not_found'
    const refusal = this.#refuse(command, isStrangers)
    const started = this.openJob
    const isTold = this.jobs.some(
      (job) =>
        isRefusal(job) &&
        job.isStrangers === isStrangers &&
        job.command === command &&
        job.reason === refusal &&
        this.now - job.requestedAt < 60,
    )
    if (refusal && isTold) return refusal
    if (!refusal && started) this.#move(started, 'SUPERSEDED', 'IGNORE', 'by_stop')
    const job: ModelJob = {
      command,
      state: refusal ? 'REJECTED' : 'QUEUED',
      result: refusal ? (refusal === 'not_owner' ? 'PERMISSIONDENIED' : 'INVALIDCOMMAND') : null,
      reason: refusal ?? null,
      attempts: 0,
      version: 1,
      publishNo: 1,
      publishedAt: null,
      requestedAt: this.now,
      notAfter: this.now + seconds,
      pendingSince: 0,
      mayHaveExecuted: false,
      // A QUEUED job has never been sent; all other open jobs have.
      mustSucceed: !refusal && started !== undefined && started.attempts > 0,
      isStrangers,
      notes: [],
    }
    this.jobs.push(job)
    return refusal ?? 'accepted'
  }

  #refuse(command: Command, isStrangers: boolean): JobReason | undefined {
    if (isStrangers) return 'not_owner'
    const open = this.openJob
    if (open && (command === 'START' || open.command === 'STOP')) return 'job_open'
    const isFit = command === 'START' ? this.status === 'READY' : ['RUNNING', 'PENDING', 'ERROR'].includes(this.status)
    if (!isFit && !open) return 'wrong_state'
    return this.hasController ? undefined : 'no_controller'
  }

  cancel(job: ModelJob): void {
    if (job.state === 'QUEUED' && !job.mustSucceed) this.#move(job, 'CANCELED', 'IGNORE', 'by_person')
  }

  /** Executes the next step. Returns the attempt that it started, if any. */
  deliver(job: ModelJob): Attempt | undefined {
    if (!this.#comesNext(job)) return undefined
    const begun = { job, attempt: job.attempts + 1, mayHaveExecutedBefore: job.mayHaveExecuted }
    this.#move(job, 'SENT', job.result, job.reason)
    Object.assign(job, { attempts: begun.attempt, mayHaveExecuted: true })
    this.lease = { job, attempt: begun.attempt, until: this.now + 20 }
    return begun
  }

  /** The queue has given up the message. */
  sendFailureCallback(job: ModelJob, isTaken: boolean): void {
    if (!this.#comesNext(job)) return
    job.publishNo += 1
    job.publishedAt = isTaken ? this.now : null
  }

  sweep(isTaken: boolean): void {
    const job = this.openJob
    if (!job) return
    const silence =
      job.publishedAt === null
        ? this.now - job.requestedAt - 5
        : this.now - job.publishedAt - (job.command === 'START' ? 37 : 61)
    const isDue = job.state === 'PENDING' ? this.now - job.pendingSince >= 600 : !this.isLeased && silence >= 0
    if (isDue) this.sendFailureCallback(job, isTaken)
  }

  /** Returns true when the job must be sent. Ends a job that has expired or must no longer be sent. */
  #comesNext(job: ModelJob): boolean {
    if (job.state === 'PENDING') {
      if (this.now - job.pendingSince >= 600) this.#end(job, 'TIMED_OUT', 'INTERNALFAILED', 'no_report')
      return false
    }
    if (!isOpen(job) || this.isLeased) return false
    const isOver = job.notAfter <= this.now
    const isUsedUp = job.command === 'START' && job.attempts >= 4
    const isFit = !this.isDeleted && this.hasController && (job.command === 'STOP' || this.status === 'READY')
    if (!isOver && !isUsedUp && isFit) return true
    if (job.mayHaveExecuted) this.#end(job, 'FAILED', 'INTERNALFAILED', 'outcome_unknown')
    else if (isUsedUp) this.#end(job, 'FAILED', 'INTERNALFAILED', 'unreachable')
    else if (isOver) this.#end(job, 'EXPIRED', 'IGNORE', 'not_in_time')
    else this.#end(job, 'REJECTED', 'INVALIDCOMMAND', 'changed')
    return false
  }

  #end(job: ModelJob, state: JobState, result: JobResult, reason: JobReason): void {
    this.#move(job, state, result, reason)
    if (result === 'INTERNALFAILED' || job.mustSucceed) this.status = 'ERROR'
  }

  /** Applies the result of an attempt, or a report of the controller (without an attempt). */
  settle(job: ModelJob, result: ControllerResult, attempt?: Attempt): void {
    const isHolder = attempt !== undefined && this.lease?.job === job && this.lease.attempt === attempt.attempt
    if (isHolder) this.lease = undefined
    const isFinal = result === 'SUCCESS' || result === 'REMOTEFAILED'
    const later = this.jobs.slice(this.jobs.indexOf(job) + 1).filter((each) => !isRefusal(each))
    if (job.state === 'SENT' && (result === 'busy' || result === 'may_have_executed')) {
      if (!isHolder) return
      job.version += 1
      job.mayHaveExecuted = attempt.mayHaveExecutedBefore || result === 'may_have_executed'
    } else if (job.state === 'SENT' && result === 'PENDING') {
      this.#move(job, 'PENDING', 'PENDING', job.reason)
      job.pendingSince = this.now
      this.status = 'PENDING'
    } else if (
      (job.state === 'SENT' && result === 'bad_answer') ||
      ((job.state === 'SENT' || job.state === 'PENDING') && isFinal)
    ) {
      this.#conclude(job, result)
      this.status = this.#shown(job, result)
    } else if (job.result === 'INTERNALFAILED' && isFinal) {
      this.#conclude(job, result)
      if (later.length === 0) this.status = this.#shown(job, result)
    } else if (job.state === 'SUPERSEDED' && (isFinal || result === 'PENDING' || result === 'bad_answer')) {
      if (this.#note(job, `late ${result}`) && later.every(isOpen)) this.status = this.#shown(job, result)
    } else if (!isOpen(job) && isFinal && job.result !== result) {
      this.#note(job, `contradiction ${result}`)
    }
  }

  #conclude(job: ModelJob, result: ControllerResult): void {
    if (result === 'SUCCESS') this.#move(job, 'SUCCEEDED', 'SUCCESS', null)
    else if (result === 'REMOTEFAILED') this.#move(job, 'FAILED', 'REMOTEFAILED', 'refused')
    else this.#move(job, 'FAILED', 'INTERNALFAILED', 'bad_answer')
  }

  #shown({ command }: ModelJob, result: ControllerResult): string {
    if (result === 'PENDING') return 'PENDING'
    if (result === 'SUCCESS') return command === 'START' ? 'RUNNING' : 'READY'
    return 'ERROR'
  }

  /** Returns false when the same note exists. */
  #note(job: ModelJob, note: string): boolean {
    if (job.notes.includes(note)) return false
    job.notes.push(note)
    job.version += 1
    return true
  }

  #move(job: ModelJob, state: JobState, result: JobResult | null, reason: JobReason | null): void {
    Object.assign(job, { state, result, reason, version: job.version + 1 })
  }

  change(change: { status?: string; hasController?: boolean; isDeleted?: boolean }): boolean {
    if (this.isDeleted) return false
    const { status = this.status, hasController = this.hasController, isDeleted = false } = change
    const isOfJobs = status !== this.status || hasController !== this.hasController || isDeleted
    if (this.openJob && isOfJobs) return false
    Object.assign(this, { status, hasController, isDeleted })
    return true
  }
}
