// One machine on the board. What happens to it never changes the height of the card, so that no STOP moves: notes have one line
// each, and their place is always there. The page of the machine has the whole texts.
import type { BoardMachine } from '../../client/api.ts'
import { toHash } from '../address.ts'
import { text } from '../language.ts'
import { mayOperate } from '../role.ts'
import { useShown } from '../status.ts'
import { CancelJob } from './cancel-job.tsx'
import { HoldNote } from './hold-note.tsx'
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
          <a href={href} title={name}>
            {name}
          </a>
        </h2>
        <p class="card-location clamp" title={location}>
          {location}
        </p>
      </div>
      <MachineStatus machine={machine} />
      <div class="card-notes">
        <div class="card-flags">
          {alarm && <AlarmNote alarm={alarm} />}
          {holds && <HoldNote holds={holds} />}
        </div>
        {open_job && (
          <OpenJob job={open_job}>
            <CancelJob job={open_job} mayCancel={mayOperate(machine.my_role)} of={name} />
          </OpenJob>
        )}
        <StopNote machineId={id} job={open_job} />
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

type Alarm = NonNullable<NonNullable<BoardMachine['reported']>['alarm']>

function AlarmNote({ alarm: { code, text: words } }: { alarm: Alarm }) {
  return (
    <p class="note note-alarm" title={`${text('alarm')} ${code} ${words}`}>
      <Icon name="alarm" />
      <span class="clamp">
        <strong>{text('alarm')}</strong> {code} {words}
      </span>
    </p>
  )
}
