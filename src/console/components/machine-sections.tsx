// What belongs to a machine, below its status and its commands.
import type { Job, Machine } from '../../client/api.ts'
import { text } from '../language.ts'
import { JobList } from './job-list.tsx'

type Props = { machine: Machine; jobs: Job[]; reload: () => void }

export function MachineSections({ machine, jobs }: Props) {
  if (machine.my_role === null) return null
  return (
    <section class="panel is-wide" aria-labelledby="history-title">
      <h2 id="history-title">{text('history')}</h2>
      <JobList jobs={jobs} />
    </section>
  )
}
