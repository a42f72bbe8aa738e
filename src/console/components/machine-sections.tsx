// What belongs to a machine, below its status and its commands.
import type { Job, Machine, StatusChange } from '../../client/api.ts'
import { text } from '../language.ts'
import { mayManage } from '../role.ts'
import { Controller } from './controller.tsx'
import { Holds, type HoldsResource } from './holds.tsx'
import { JobList } from './job-list.tsx'
import { Keys } from './keys.tsx'
import { MachineMembers } from './machine-members.tsx'
import { MachineSettings } from './machine-settings.tsx'
import { RunBar } from './run-bar.tsx'

type Props = { machine: Machine; jobs: Job[]; statuses: StatusChange[]; holds: HoldsResource; reload: () => void }

export function MachineSections({ machine, jobs, statuses, holds, reload }: Props) {
  if (machine.my_role === null) return null
  const isManager = mayManage(machine.my_role)
  return (
    <>
      <RunBar statuses={statuses} machine={machine} />
      <section class="panel history" aria-labelledby="history-title">
        <h2 id="history-title">{text('history')}</h2>
        <JobList jobs={jobs} machine={machine} />
      </section>
      <div class="stack">
        <Holds machine={machine} holds={holds} />
        {isManager && <MachineSettings machine={machine} reload={reload} />}
      </div>
      <div class="stack">
        <MachineMembers machine={machine} reload={reload} />
        {isManager && <Controller machine={machine} reload={reload} />}
        {isManager && <Keys machineId={machine.id} />}
      </div>
    </>
  )
}
