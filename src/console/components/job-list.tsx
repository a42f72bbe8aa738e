// The jobs of a machine, newest first, each with its timeline on demand.
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

export function JobList({ jobs, machine }: { jobs: Job[]; machine: Machine }) {
  if (jobs.length === 0) return <p class="hint">{text('no_history')}</p>
  return (
    <ol class="jobs">
      {jobs.map((job) => (
        <JobRow key={job.id} job={job} machine={machine} />
      ))}
    </ol>
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
        <span class="job-state">
          {text(`state_${job.state}`)}
          {job.reason && <span class="job-reason"> · {text(`why_${job.reason}`)}</span>}
        </span>
        <span class="job-meta">
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
