// Cancels a job that has not been sent yet: the API refuses any other.
import type { Job } from '../../client/api.ts'
import { text } from '../language.ts'
import { noteChange } from '../live.ts'
import { client } from '../session.ts'
import { ActionButton } from './action-button.tsx'

/** @param mayCancel whether the user may operate the machine */
export function CancelJob({
  job,
  mayCancel,
  of,
}: {
  job: Pick<Job, 'id' | 'machine_id' | 'state' | 'command'>
  mayCancel: boolean
  of: string
}) {
  if (job.state !== 'QUEUED' || !mayCancel) return null
  const cancel = async () => {
    try {
      await client.jobs.cancel(job.id)
    } finally {
      noteChange(job.machine_id)
    }
  }
  return (
    <ActionButton
      label={text('cancel_job')}
      name={`${of} ${text(`job_${job.command}`)} ${text('cancel_job')}`}
      onAct={cancel}
    />
  )
}
