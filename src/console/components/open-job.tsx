// A command under way: what was asked, and how far it is. It says nothing about what the machine does.
import type { Job } from '../../client/api.ts'
import { text } from '../language.ts'
import { Age } from './age.tsx'

export function OpenJob({ job }: { job: Pick<Job, 'command' | 'state' | 'requested_at'> }) {
  return (
    <p class={`note note-job is-${job.state}`}>
      <span class="spinner" aria-hidden="true" />
      <span>
        <strong>{text(`requested_${job.command}`)}</strong> {text(`state_${job.state}`)} · <Age at={job.requested_at} />
      </span>
    </p>
  )
}
