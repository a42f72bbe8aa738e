// One machine on the board.
import type { BoardMachine } from '../../client/api.ts'
import { toHash } from '../address.ts'
import { text } from '../language.ts'
import { mayOperate } from '../role.ts'
import { useShown } from '../status.ts'
import { Age } from './age.tsx'
import { CancelJob } from './cancel-job.tsx'
import { Icon } from './icon.tsx'
import { OpenJob } from './open-job.tsx'
import { MachineStatus } from './status.tsx'
import { StopButton, StopNote } from './stop-button.tsx'

export function MachineCard({ machine }: { machine: BoardMachine }) {
  const { id, name, location, reported, holds, open_job } = machine
  const { status } = useShown(machine)
  const href = toHash('machine', { id })
  const alarm = status === 'stale' ? null : reported?.alarm
  return (
    <li class={`card card-${status}`}>
      <div class="card-head">
        <h2 class="card-name">
          <a href={href}>{name}</a>
        </h2>
        <p class="card-location">{location}</p>
      </div>
      <MachineStatus machine={machine} />
      <div class="card-notes">
        {alarm && (
          <p class="note note-alarm">
            <Icon name="alarm" />
            <span>
              <strong>{text('alarm')}</strong> {alarm.code} {alarm.text}
            </span>
          </p>
        )}
        {holds?.map((hold) => (
          <p key={hold.id} class="note note-hold">
            <Icon name="hold" />
            <span>
              <strong>{text('held')}</strong> {hold.reason} · <Age at={hold.placed_at} />
            </span>
          </p>
        ))}
        {open_job && (
          <OpenJob job={open_job}>
            <CancelJob job={open_job} mayCancel={mayOperate(machine.my_role)} of={name} />
          </OpenJob>
        )}
        <StopNote machineId={id} />
      </div>
      {mayOperate(machine.my_role) && (
        <div class="card-actions">
          <a class="button" href={href} aria-label={`${name} ${text('to_start')}`}>
            {text('to_start')}
          </a>
          <StopButton machineId={id} name={name} />
        </div>
      )}
    </li>
  )
}
