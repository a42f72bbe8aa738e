// The last command: its state, and whether a report of the machine confirms it.
import type { Job, Machine } from '../../client/api.ts'
import { text } from '../language.ts'
import { mayOperate } from '../role.ts'
import { Age } from './age.tsx'
import { CancelJob } from './cancel-job.tsx'
import { Person } from './person.tsx'

const badEnds = ['FAILED', 'REJECTED', 'EXPIRED', 'TIMED_OUT']

export function JobProgress({ job, machine }: { job: Job; machine: Machine }) {
  const isOpen = job.finished_at === null
  return (
    <div class={`job ${isOpen ? 'is-open' : ''} ${badEnds.includes(job.state) ? 'is-bad' : ''}`}>
      <p class="job-title">
        {isOpen && <span class="spinner" aria-hidden="true" />}
        <strong>{text(`requested_${job.command}`)}</strong>
        <span class="clamp">
          <QuietAge at={job.requested_at} /> · <Person id={job.requested_by} />
        </span>
      </p>
      <p>{text(`state_${job.state}`)}</p>
      {job.reason && <p class="job-reason">{text(`why_${job.reason}`)}</p>}
      {job.detail && (
        <p class="job-detail clamp" title={job.detail}>
          {job.detail}
        </p>
      )}
      {job.state === 'SUCCEEDED' && <Confirmation job={job} machine={machine} />}
      <CancelJob job={job} mayCancel={mayOperate(machine.my_role)} of={machine.name} />
    </div>
  )
}

/** An age that ticks is not announced each second. */
function QuietAge({ at }: { at: string }) {
  return (
    <span aria-live="off">
      <Age at={at} />
    </span>
  )
}

/** The answer to a command does not yet show what the machine does. */
function Confirmation({ job, machine }: { job: Job; machine: Machine }) {
  if (job.confirmed_at !== null) {
    return (
      <p class="job-confirmed">
        {text('confirmed_by_machine')} · <QuietAge at={job.confirmed_at} />
      </p>
    )
  }
  return <p class="hint">{text(machine.reported ? 'not_confirmed_yet' : 'no_confirmation')}</p>
}
