// The model of a machine and its jobs, without SQL. The statements must agree with it. Times are seconds.
import type { Command } from '../../src/jobs/commands.ts'
import type { ControllerResult, JobReason, JobResult, JobState } from '../../src/jobs/job.ts'
import type { Role } from '../../src/sites/role.ts'
import {
  type Attempt,
  accountOf,
  delayAfter,
  isOpen,
  isRefusal,
  type Membership,
  type ModelJob,
  type ModelReport,
  type Requester,
  reportEffectOn,
  silenceSeconds,
} from './job.ts'

export class Model {
  now = 0
  status = 'READY'
  statusSource = 'person'
  /** Whether there is a valid key for the reports of the machine. */
  readonly canReport: boolean
  report: ModelReport | undefined
  confirmedSequence = 0
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

  constructor(canReport: boolean) {
    this.canReport = canReport
  }

  get #isFresh(): boolean {
    return this.report !== undefined && this.now - this.report.at < 30
  }

  /** Why the reports of the machine refuse a START. */
  get #silence(): 'stale' | 'remote_disabled' | undefined {
    if (this.report && !this.#isFresh && this.canReport) return 'stale'
    return this.#isFresh && this.report?.isRemote === false ? 'remote_disabled' : undefined
  }

  /** After a failure: ERROR, unless a fresh report says otherwise. */
  get #failed(): string {
    return (this.#isFresh && this.report?.status) || 'ERROR'
  }

  #show(status: string): void {
    this.status = status
    this.statusSource = this.#isFresh && this.report?.status === status ? 'report' : 'command'
  }

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
      sentAt: undefined,
      finishedAt: refusal ? this.now : undefined,
      isConfirmed: false,
      pendingSince: 0,
      nextAttemptAt: this.now,
      dueAt: this.now + (this.hasController ? 5 : seconds),
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
    if (command === 'START' && this.#silence) return this.#silence
    if (command === 'START' && this.status !== 'READY') return 'wrong_state'
    return this.hasController || this.canReport ? undefined : 'no_controller'
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

  cancel(job: ModelJob): void {
    if (job.state !== 'QUEUED' || job.mustSucceed) return
    this.#move(job, 'CANCELED', 'IGNORE', 'by_person')
    this.#hasEnded(job)
  }

  /** Executes the next step. Returns the attempt that it started, if any. */
  deliver(job: ModelJob, by: 'queue' | 'worker' | 'machine'): Attempt | undefined {
    if (this.#comesNext(job, by === 'machine' ? 'machine' : 'queue') !== 'send') return undefined
    const begun = { job, attempt: job.attempts + 1, mayHaveExecutedBefore: job.mayHaveExecuted }
    this.#move(job, 'SENT', job.result, job.reason)
    const nextAttemptAt = this.now + delayAfter(begun.attempt)
    const deliveredAt = by === 'machine' ? job.notAfter : Math.min(nextAttemptAt + silenceSeconds, job.notAfter)
    const dueAt = Math.max(deliveredAt, this.now + 20)
    job.sentAt ??= this.now
    if (by === 'queue') job.publishedAt ??= this.now
    Object.assign(job, { attempts: begun.attempt, mayHaveExecuted: true, nextAttemptAt, dueAt })
    this.lease = { job, attempt: begun.attempt, until: this.now + 20 }
    return begun
  }

  /** Publishes the job again, or ends it: the queue has given up the message, or the sweep finds that the job is due. */
  redispatch(job: ModelJob, isTaken: boolean): void {
    const next = this.#comesNext(job, 'queue')
    if (next === 'fetch' && job.dueAt <= this.now) job.dueAt = job.notAfter
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
  #comesNext(job: ModelJob, by: 'queue' | 'machine'): 'send' | 'delay' | 'fetch' | 'leased' | 'wait' | 'ended' {
    if (job.state === 'PENDING') {
      if (this.now - job.pendingSince < 600) return 'wait'
      this.#end(job, 'TIMED_OUT', 'INTERNALFAILED', 'no_report')
      return 'ended'
    }
    if (!isOpen(job)) return 'ended'
    if (this.isLeased && !(by === 'machine' && job.command === 'STOP')) return 'leased'
    const isOver = job.notAfter <= this.now
    const isUsedUp = job.command === 'START' && job.attempts >= 4
    const isFit = !this.isDeleted && (job.command === 'STOP' || this.status === 'READY')
    const isHeld = job.command === 'START' && this.holders.size > 0
    const silence = job.command === 'START' ? this.#silence : undefined
    const isAllowed = job.command === 'STOP' || this.#mayOperate(job.requester)
    if (!isOver && !isUsedUp && isFit && !isHeld && !silence && isAllowed) {
      if (by === 'queue' && !this.hasController) return 'fetch'
      return job.nextAttemptAt > this.now ? 'delay' : 'send'
    }
    if (job.mayHaveExecuted) this.#end(job, 'FAILED', 'INTERNALFAILED', 'outcome_unknown')
    else if (isUsedUp) this.#end(job, 'FAILED', 'INTERNALFAILED', 'unreachable')
    else if (isOver) this.#end(job, 'EXPIRED', 'IGNORE', 'not_in_time')
    else if (!isFit) this.#end(job, 'REJECTED', 'INVALIDCOMMAND', 'changed')
    else if (isHeld) this.#end(job, 'REJECTED', 'INVALIDCOMMAND', 'held')
    else if (silence) this.#end(job, 'REJECTED', 'INVALIDCOMMAND', silence)
    else this.#end(job, 'REJECTED', 'PERMISSIONDENIED', 'not_allowed')
    return 'ended'
  }

  #hasEnded({ sequence }: ModelJob): void {
    this.endedSequence = Math.max(this.endedSequence, sequence)
  }

  #end(job: ModelJob, state: JobState, result: JobResult, reason: JobReason): void {
    this.#move(job, state, result, reason)
    this.#hasEnded(job)
    if (result === 'INTERNALFAILED' || job.mustSucceed) this.#show(this.#failed)
  }

  /** Applies the result of an attempt, or a report of the controller (without an attempt). */
  settle(job: ModelJob, result: ControllerResult, attempt?: Attempt): void {
    // The outcome of a fetched command names no attempt.
    const isSame = !this.hasController || (attempt !== undefined && this.lease?.attempt === attempt.attempt)
    const isHolder = this.lease?.job === job && isSame
    if (isHolder) this.lease = undefined
    const isFinal = result === 'SUCCESS' || result === 'REMOTEFAILED'
    const isSent = job.state === 'SENT'
    if (isSent && (result === 'busy' || result === 'may_have_executed')) {
      if (!isHolder) return
      job.version += 1
      job.mayHaveExecuted = attempt?.mayHaveExecutedBefore || result === 'may_have_executed'
      const dueAt = Math.min(this.now + delayAfter(job.attempts) + silenceSeconds, job.notAfter)
      job.dueAt = job.publishedAt === null ? job.nextAttemptAt : dueAt
    } else if ((isSent || job.state === 'QUEUED') && result === 'PENDING') {
      this.#move(job, 'PENDING', 'PENDING', job.reason)
      job.pendingSince = this.now
      job.dueAt = this.now + 600
      this.#show('PENDING')
    } else if (isSent && result === 'not_confirmed') {
      this.#end(job, 'REJECTED', 'INVALIDCOMMAND', 'controller_refused')
    } else if ((isSent && result === 'bad_answer') || (isOpen(job) && isFinal)) {
      this.#conclude(job, result)
      this.#hasEnded(job)
      this.#show(this.#shown(job, result))
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
    const isRunning = this.#isFresh && this.report?.status === 'RUNNING'
    if (job.sequence >= this.endedSequence) this.#show(isRunning ? 'RUNNING' : this.#shown(job, result))
    else if (job.command === 'START' && result === 'SUCCESS') this.#show(this.#failed)
  }

  #conclude(job: ModelJob, result: ControllerResult): void {
    if (result === 'SUCCESS') this.#move(job, 'SUCCEEDED', 'SUCCESS', null)
    else if (result === 'REMOTEFAILED') this.#move(job, 'FAILED', 'REMOTEFAILED', 'refused')
    else this.#move(job, 'FAILED', 'INTERNALFAILED', 'bad_answer')
  }

  #shown({ command }: ModelJob, result: ControllerResult): string {
    if (result === 'PENDING') return 'PENDING'
    if (result === 'SUCCESS') return command === 'START' ? 'RUNNING' : 'READY'
    return this.#failed
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
    if (!isOpen(job)) job.finishedAt = this.now
  }

  change(change: { status?: string; hasController?: boolean; isDeleted?: boolean }): boolean {
    if (this.isDeleted) return false
    const { status = this.status, hasController = this.hasController, isDeleted = false } = change
    const isOfJobs = status !== this.status || hasController !== this.hasController || isDeleted
    if (this.openJob && isOfJobs) return false
    const isRunning = this.status === 'RUNNING' || this.status === 'PENDING'
    if (isRunning && (isDeleted || (this.hasController && !hasController))) return false
    if (status !== this.status && this.#isFresh) return false
    if (status !== this.status) this.statusSource = 'person'
    if (isOfJobs) this.manualSequence = this.lastSequence
    Object.assign(this, { status, hasController, isDeleted })
    return true
  }

  /** A report, with the outcome of a job. @returns the attempt of the command in the answer, if any */
  takeReport(sent: Omit<ModelReport, 'at' | 'previousBoot'>, outcome?: Told): Attempt | undefined {
    if (this.isDeleted) return undefined
    const last = this.report
    const isNext = last?.boot === sent.boot && sent.seq > last.seq
    const isSame = last?.status === sent.status && last.isRemote === sent.isRemote
    const isShown = this.status === sent.status && this.statusSource === 'report'
    const isIdle = this.lastSequence === this.confirmedSequence
    if (last && !outcome && isNext && isSame && isShown && isIdle && this.#isFresh) {
      Object.assign(last, { seq: sent.seq, at: this.now })
      return undefined
    }
    if (outcome) this.settle(outcome.job, outcome.result)
    const isNewBoot = last !== undefined && sent.boot !== last.boot && sent.boot !== last.previousBoot
    if (last && !isNext && !isNewBoot) return undefined
    const previousBoot = isNewBoot ? last.boot : last?.previousBoot
    this.report = { ...sent, previousBoot, at: this.now }
    const firstOpen = this.openJob?.sequence ?? Number.POSITIVE_INFINITY
    const awaited = this.#applyReport(sent.status)
    Object.assign(this, { status: sent.status, statusSource: 'report' })
    this.confirmedSequence = Math.min(this.lastSequence, firstOpen - 1, awaited - 1)
    const open = this.openJob
    return open && !this.hasController ? this.deliver(open, 'machine') : undefined
  }

  /** @returns the sequence of the job about which later reports can say more; infinite if there is none */
  #applyReport(reported: string): number {
    const sent = this.jobs.filter(({ sentAt, sequence, requestedAt }) => {
      return sentAt !== undefined && sequence > this.confirmedSequence && this.now - requestedAt < 3_600
    })
    const job = sent.toSorted((one, other) => one.sequence - other.sequence).at(-1)
    const effect = job && reportEffectOn(job, reported, this.now - (job.finishedAt ?? this.now))
    if (job && effect === 'await') return job.sequence
    if (job && effect === 'settle') this.#move(job, 'SUCCEEDED', 'SUCCESS', null)
    else if (job && effect) job.version += 1
    if (job && (effect === 'settle' || effect === 'confirm')) job.isConfirmed = true
    return Number.POSITIVE_INFINITY
  }
}

/** What a report tells about a job. */
export type Told = { job: ModelJob; result: 'SUCCESS' | 'REMOTEFAILED' | 'PENDING' }
