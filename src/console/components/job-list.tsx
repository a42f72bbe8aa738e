// The jobs of a machine, newest first, each with its timeline on demand.
import type { Job } from '../../client/api.ts'
import { text } from '../language.ts'
import { Age } from './age.tsx'
import { Person } from './person.tsx'

export function JobList({ jobs }: { jobs: Job[] }) {
  if (jobs.length === 0) return <p class="hint">{text('no_history')}</p>
  return (
    <ol class="jobs">
      {jobs.map((job) => (
        <li key={job.id} class={`job-row is-${job.state}`}>
          <strong class="job-command">{text(`job_${job.command}`)}</strong>
          <span class="job-state">
            {text(`state_${job.state}`)}
            {job.reason && <span class="job-reason"> · {text(`why_${job.reason}`)}</span>}
          </span>
          <span class="job-meta">
            <Person id={job.requested_by} /> · <Age at={job.requested_at} />
          </span>
        </li>
      ))}
    </ol>
  )
}
