// The jobs of the model, and what a report says about them. Times are seconds.
import type { Command } from '../../src/jobs/commands.ts'
import type { JobReason, JobResult, JobState } from '../../src/jobs/job.ts'
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
  sentAt: number | undefined
  finishedAt: number | undefined
  /** Whether a report has confirmed it. */
  isConfirmed: boolean
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

export const accountOf = (requester: Requester) => (requester === 'program' ? 'owner' : requester)
export const isOpen = ({ state }: ModelJob) => state === 'QUEUED' || state === 'SENT' || state === 'PENDING'
export const isRefusal = ({ sequence }: ModelJob) => sequence === 0
/** The seconds from an attempt to the next one. */
export const delayAfter = (attempts: number) => [1, 2, 4, 8, 16, 30][attempts - 1] ?? 60
export const silenceSeconds = 30

/** The last report of the machine. */
export type ModelReport = {
  boot: number
  previousBoot: number | undefined
  seq: number
  status: string
  isRemote: boolean
  at: number
}

/** What a report says about the newest job that was sent. */
export type ReportEffect = 'confirm' | 'settle' | 'note' | 'await' | undefined

/** @param ageSeconds since the job has ended */
export function reportEffectOn(job: ModelJob, reported: string, ageSeconds: number): ReportEffect {
  const isShown = (job.command === 'START') === (reported === 'RUNNING')
  if (isOpen(job)) return isShown && !job.isConfirmed ? 'confirm' : 'await'
  if (job.state === 'SUCCEEDED' && job.isConfirmed) return undefined
  if (job.state === 'SUCCEEDED') return isShown ? 'confirm' : ageSeconds < 60 ? 'await' : 'note'
  if (job.result !== 'INTERNALFAILED' || job.reason === 'unreachable') return undefined
  if (isShown || (job.isConfirmed && job.command === 'START')) return 'settle'
  return ageSeconds < 600 ? 'await' : undefined
}
