// The model of a machine and its jobs, without SQL. The statements must agree with it. Times are seconds.
import type { Command } from '../../src/jobs/commands.ts'
import type { ControllerResult, JobReason, JobResult, JobState } from '../../src/jobs/job.ts'
import type { Role } from '../../src/sites/role.ts'

/** `member`: an account that may have a role on the machine. `program`: a key of the owner, for START and STOP. */
export type Requester = 'owner' | 'staff' | 'member' | 'program' | 'stranger'
export type Membership = { role: Role; until: number }

export type ModelJob = {
  command: Command
  sequence: number
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
  nextAttemptAt: number
  /** When the sweep takes care of the job. */
  dueAt: number
  /** An attempt may have been executed. */
  mayHaveExecuted: boolean
  mustSucceed: boolean
  requester: Requester
  notes: string[]
}

export type Attempt = { job: ModelJob; attempt: number; mayHaveExecutedBefore: boolean }

const accountOf = (requester: Requester) => (requester === 'program' ? 'owner' : requester)
const isOpen = ({ state }: ModelJob) => state === 'QUEUED' || state === 'SENT' || state === 'PENDING'
const isRefusal = ({ sequence }: ModelJob) => sequence === 0
/** The seconds from an attempt to the next one. */
const delayAfter = (attempts: number) => [1, 2, 4, 8, 16, 30][attempts - 1] ?? 60
const silenceSeconds = 30

export class Model {
  now = 0
  status = 'READY'
  isDeleted = false
  hasController = true
  /** Whether the account `staff` has staff rights. */
  isStaff = true
  /** The row of the account `member`, which may have expired. */
  membership: Membership | undefined
  isKeyRevoked = false
  /** Who has a hold that is in force. */
  readonly holders = new Set<Requester>()
  lastSequence = 0
  endedSequence = 0
  manualSequence = 0
  lease: { job: ModelJob; attempt: number; until: number } | undefined
  readonly jobs: ModelJob[] = []

  get isLeased(): boolean {
    return this.lease !== undefined && this.lease.until > this.now
  }

  /** At most one: a STOP supersedes every open job, and a START is refused while a job is open. */
  get openJob(): ModelJob | undefined {
    return this.jobs.find(isOpen)
  }

  get #memberRole(): Role | undefined {
    return this.membership && this.membership.until > this.now ? this.membership.role : undefined
  }

  #mayOperate(requester: Requester): boolean {
    switch (requester) {
      case 'owner':
        return true
      case 'staff':
        return this.isStaff
      case 'member':
        return this.#memberRole === 'operator' || this.#memberRole === 'manager'
      case 'program':
        return !this.isKeyRevoked
      case 'stranger':
        return false
    }
  }

  /** Returns undefined when the caller is not valid. */
  request(
    command: Command,
    requester: Requester,
    seconds: number,
  ): 'accepted' | 'repeated' | 'not_found' | 'not_owner' | 'role_too_low' | JobReason | undefined {
    if (requester === 'program' && this.isKeyRevoked) return undefined
    if (this.isDeleted) return 'not_found'
    if (!this.#mayOperate(requester)) return requester === 'member' && this.#memberRole ? 'role_too_low' : 'not_owner'
    const open = this.openJob
    const isRepeated = open?.command === 'STOP' && open.state === 'QUEUED' && open.notAfter > this.now
    if (command === 'STOP' && isRepeated) return 'repeated'
    const refusal = this.#refuse(command)
    const isTold = this.jobs.some(
      (job) =>
        isRefusal(job) &&
        accountOf(job.requester) === accountOf(requester) &&
        job.command === command &&
        job.reason === refusal &&
        this.now - job.requestedAt < 60,
    )
    if (refusal && isTold) return refusal
    const mustSucceed = !refusal && open !== undefined && (open.state !== 'QUEUED' || open.mustSucceed)
    if (!refusal && open) this.#move(open, 'SUPERSEDED', 'IGNORE', 'by_stop')
    if (!refusal && command === 'STOP' && this.lease?.job.command === 'START') this.lease = undefined
    if (!refusal) this.lastSequence += 1
    const job: ModelJob = {
      command,
      sequence: refusal ? 0 : this.lastSequence,
      state: refusal ? 'REJECTED' : 'QUEUED',
      result: refusal ? 'INVALIDCOMMAND' : null,
      reason: refusal ?? null,
      attempts: 0,
      version: 1,
      publishNo: 1,
      publishedAt: null,
      requestedAt: this.now,
      notAfter: this.now + seconds,
      pendingSince: 0,
      nextAttemptAt: this.now,
      dueAt: this.now + 5,
      mayHaveExecuted: false,
      mustSucceed,
      requester,
      notes: [],
    }
    this.jobs.push(job)
    return refusal ?? 'accepted'
  }

  #refuse(command: Command): JobReason | undefined {
    if (command === 'START' && this.holders.size > 0) return 'held'
    if (command === 'START' && this.openJob) return 'job_open'
    if (command === 'START' && this.status !== 'READY') return 'wrong_state'
    return this.hasController ? undefined : 'no_controller'
  }

  /** Returns whether the requester has a hold now. */
  placeHold(requester: Requester): boolean {
    if (this.isDeleted || !this.#mayOperate(requester)) return false
    const open = this.openJob
    if (open?.command === 'START' && open.state !== 'QUEUED') return false
    if (open?.command === 'START') {
      this.#move(open, 'SUPERSEDED', 'IGNORE', 'by_hold')
      this.#hasEnded(open)
    }
    this.holders.add(requester)
    return true
  }

  /** QStash has accepted the first message of the job. */
  markPublished(job: ModelJob): void {
    job.publishedAt = this.now
    job.dueAt = Math.max(job.dueAt, Math.min(this.now + silenceSeconds, job.notAfter))
  }

  cancel(job: ModelJob): void {
    if (job.state !== 'QUEUED' || job.mustSucceed) return
    this.#move(job, 'CANCELED', 'IGNORE', 'by_person')
    this.#hasEnded(job)
  }

  /** Executes the next step. Returns the attempt that it started, if any. */
  deliver(job: ModelJob): Attempt | undefined {
    if (this.#comesNext(job) !== 'send') return undefined
    const begun = { job, attempt: job.attempts + 1, mayHaveExecutedBefore: job.mayHaveExecuted }
    this.#move(job, 'SENT', job.result, job.reason)
    const nextAttemptAt = this.now + delayAfter(begun.attempt)
    const dueAt = Math.max(Math.min(nextAttemptAt + silenceSeconds, job.notAfter), this.now + 20)
    Object.assign(job, { attempts: begun.attempt, mayHaveExecuted: true, nextAttemptAt, dueAt })
    this.lease = { job, attempt: begun.attempt, until: this.now + 20 }
    return begun
  }

  /** Publishes the job again, or ends it: the queue has given up the message, or the sweep finds that the job is due. */
  redispatch(job: ModelJob, isTaken: boolean): void {
    const next = this.#comesNext(job)
    if (next === 'leased') {
      const remaining = (this.lease?.until ?? this.now) - this.now
      if (job.dueAt <= this.now) job.dueAt = this.now + Math.max(remaining, 1)
    }
    if (next !== 'send' && next !== 'delay') return
    const delay = Math.max(job.nextAttemptAt - this.now, 0)
    job.publishNo += 1
    job.publishedAt = isTaken ? this.now : null
    job.dueAt = isTaken ? Math.min(this.now + delay + silenceSeconds, job.notAfter) : this.now + 5
  }

  sweep(isTaken: boolean): void {
    const job = this.openJob
    if (job && job.dueAt <= this.now) this.redispatch(job, isTaken)
  }

  /** Ends a job that has expired or must no longer be sent; `ended` also for a job that has ended before. */
  #comesNext(job: ModelJob): 'send' | 'delay' | 'leased' | 'wait' | 'ended' {
    if (job.state === 'PENDING') {
      if (this.now - job.pendingSince < 600) return 'wait'
      this.#end(job, 'TIMED_OUT', 'INTERNALFAILED', 'no_report')
      return 'ended'
    }
    if (!isOpen(job)) return 'ended'
    if (this.isLeased) return 'leased'
    const isOver = job.notAfter <= this.now
    const isUsedUp = job.command === 'START' && job.attempts >= 4
    const isFit = !this.isDeleted && this.hasController && (job.command === 'STOP' || this.status === 'READY')
    const isHeld = job.command === 'START' && this.holders.size > 0
    const isAllowed = job.command === 'STOP' || this.#mayOperate(job.requester)
    if (!isOver && !isUsedUp && isFit && !isHeld && isAllowed) return job.nextAttemptAt > this.now ? 'delay' : 'send'
    if (job.mayHaveExecuted) this.#end(job, 'FAILED', 'INTERNALFAILED', 'outcome_unknown')
    else if (isUsedUp) this.#end(job, 'FAILED', 'INTERNALFAILED', 'unreachable')
    else if (isOver) this.#end(job, 'EXPIRED', 'IGNORE', 'not_in_time')
    else if (!isFit) this.#end(job, 'REJECTED', 'INVALIDCOMMAND', 'changed')
    else if (isHeld) this.#end(job, 'REJECTED', 'INVALIDCOMMAND', 'held')
    else this.#end(job, 'REJECTED', 'PERMISSIONDENIED', 'not_allowed')
    return 'ended'
  }

  #hasEnded({ sequence }: ModelJob): void {
    this.endedSequence = Math.max(this.endedSequence, sequence)
  }

  #end(job: ModelJob, state: JobState, result: JobResult, reason: JobReason): void {
    this.#move(job, state, result, reason)
    this.#hasEnded(job)
    if (result === 'INTERNALFAILED' || job.mustSucceed) this.status = 'ERROR'
  }

  /** Applies the result of an attempt, or a report of the controller (without an attempt). */
  settle(job: ModelJob, result: ControllerResult, attempt?: Attempt): void {
    const isHolder = attempt !== undefined && this.lease?.job === job && this.lease.attempt === attempt.attempt
    if (isHolder) this.lease = undefined
    const isFinal = result === 'SUCCESS' || result === 'REMOTEFAILED'
    const isSent = job.state === 'SENT'
    if (isSent && (result === 'busy' || result === 'may_have_executed')) {
      if (!isHolder) return
      job.version += 1
      job.mayHaveExecuted = attempt.mayHaveExecutedBefore || result === 'may_have_executed'
      const dueAt = Math.min(this.now + delayAfter(job.attempts) + silenceSeconds, job.notAfter)
      job.dueAt = job.publishedAt === null ? job.nextAttemptAt : dueAt
    } else if ((isSent || job.state === 'QUEUED') && result === 'PENDING') {
      this.#move(job, 'PENDING', 'PENDING', job.reason)
      job.pendingSince = this.now
      job.dueAt = this.now + 600
      this.status = 'PENDING'
    } else if (isSent && result === 'not_confirmed') {
      this.#end(job, 'REJECTED', 'INVALIDCOMMAND', 'controller_refused')
    } else if ((isSent && result === 'bad_answer') || (isOpen(job) && isFinal)) {
      this.#conclude(job, result)
      this.#hasEnded(job)
      this.status = this.#shown(job, result)
    } else if (job.result === 'INTERNALFAILED' && isFinal) {
      this.#conclude(job, result)
      this.#settleLate(job, result)
    } else if (job.state === 'SUPERSEDED' && (isFinal || result === 'PENDING' || result === 'bad_answer')) {
      if (this.#note(job, `late ${result}`)) this.#settleLate(job, result)
    } else if (!isOpen(job) && isFinal && job.result !== result) {
      this.#note(job, `contradiction ${result}`)
    }
  }

  /** The status after an answer that came when the job had ended. */
  #settleLate(job: ModelJob, result: ControllerResult): void {
    if (job.sequence <= this.manualSequence) return
    if (job.sequence >= this.endedSequence) this.status = this.#shown(job, result)
    else if (job.command === 'START' && result === 'SUCCESS') this.status = 'ERROR'
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
    const isRunning = this.status === 'RUNNING' || this.status === 'PENDING'
    if (isRunning && (isDeleted || (this.hasController && !hasController))) return false
    if (isOfJobs) this.manualSequence = this.lastSequence
    Object.assign(this, { status, hasController, isDeleted })
    return true
  }
}
