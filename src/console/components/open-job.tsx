// A command in progress: what was requested, and its state. It does not show what the machine does.
import type { Job } from '../../client/api.ts'
import { text } from '../language.ts'
import { Age } from './age.tsx'

type Props = { job: Pick<Job, 'command' | 'state' | 'requested_at'>; children?: unknown }

export function OpenJob({ job, children }: Props) {
  return (
    <div class={`note note-job is-${job.state}`}>
      <span class="spinner" aria-hidden="true" />
      <p>
        <strong class="clamp">{text(`requested_${job.command}`)}</strong>
        <span class="clamp">
          {text(`state_${job.state}`)} · <Age at={job.requested_at} />
        </span>
      </p>
      {children}
    </div>
  )
}
