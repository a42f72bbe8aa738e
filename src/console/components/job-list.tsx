// The jobs of a machine, newest first, each with its timeline on demand. The place of the first ones is kept, and further ones come
// on demand, so that a new job does not move the panels below.
import { useState } from 'hono/jsx/dom'
import type { Job, JobEvent, Machine } from '../../client/api.ts'
import { text } from '../language.ts'
import { useResource } from '../resource.ts'
import { mayOperate } from '../role.ts'
import { client } from '../session.ts'
import { Age } from './age.tsx'
import { CancelJob } from './cancel-job.tsx'
import { Person } from './person.tsx'
import { Problem } from './problem.tsx'
import { Skeleton } from './screen.tsx'

const firstJobs = 4

export function JobList({ jobs, machine }: { jobs: Job[]; machine: Machine }) {
  const [isLong, setLong] = useState(false)
  const shown = isLong ? jobs : jobs.slice(0, firstJobs)
  return (
    <>
      <ol class="jobs">
        {jobs.length === 0 && <li class="hint">{text('no_history')}</li>}
        {shown.map((job) => (
          <JobRow key={job.id} job={job} machine={machine} />
        ))}
      </ol>
      <div class="jobs-more">
        {jobs.length > firstJobs && (
          <button
            type="button"
            class="button"
            aria-expanded={isLong ? 'true' : 'false'}
            onClick={() => setLong((was) => !was)}
          >
            {text(isLong ? 'fewer_jobs' : 'more_jobs')}
          </button>
        )}
      </div>
    </>
  )
}

const badEnds = ['FAILED', 'TIMED_OUT']

function JobRow({ job, machine }: { job: Job; machine: Machine }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <li class={`job-row ${badEnds.includes(job.state) ? 'is-bad' : ''}`}>
      <button
        type="button"
        class="job-toggle"
        aria-expanded={isOpen ? 'true' : 'false'}
        onClick={() => setOpen((was) => !was)}
      >
        <strong class="job-command">{text(`job_${job.command}`)}</strong>
        <span class="job-state clamp">
          {text(`state_${job.state}`)}
          {job.reason && <span class="job-reason"> · {text(`why_${job.reason}`)}</span>}
        </span>
        <span class="job-meta clamp">
          <Person id={job.requested_by} /> · <Age at={job.requested_at} />
        </span>
      </button>
      <CancelJob job={job} mayCancel={mayOperate(machine.my_role)} of={machine.name} />
      {isOpen && <Timeline job={job} />}
    </li>
  )
}

function Timeline({ job }: { job: Job }) {
  const events = useResource(`events-${job.id}-${job.version}`, () => client.jobs.events(job.id))
  if (events.error !== undefined) return <Problem error={events.error} onRetry={events.reload} />
  if (!events.value) return <Skeleton kind="line" count={3} />
  return (
    <ol class="timeline">
      {events.value.map((event) => (
        <li key={event.version}>
          <strong>{text(`state_${event.state}`)}</strong>
          {event.reason && <span> · {text(`why_${event.reason}`)}</span>}
          {event.detail && <span class="job-detail"> · {event.detail}</span>}
          <span class="row-meta">
            <Actor by={event.by} />
            {event.attempt !== null && <span> · {text('attempt', { n: event.attempt })}</span>} · <Age at={event.at} />
          </span>
        </li>
      ))}
    </ol>
  )
}

function Actor({ by }: { by: JobEvent['by'] }) {
  return typeof by === 'number' ? <Person id={by} /> : <span>{text(`by_${by}`)}</span>
}
