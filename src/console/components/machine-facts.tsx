// What the machine reports about itself, and who is at it.
import type { Hold, Machine } from '../../client/api.ts'
import { language, text } from '../language.ts'
import { useShown } from '../status.ts'
import { Age } from './age.tsx'
import { HoldNote } from './hold-note.tsx'
import { Icon } from './icon.tsx'

/** A fact that is not reported keeps its place, so that nothing moves when it is. */
const nothing = '–'

/** @param holds undefined while they are read */
export function MachineFacts({ machine, holds }: { machine: Machine; holds: Hold[] | undefined }) {
  const { reported } = machine
  const isStale = useShown(machine).status === 'stale'
  return (
    <>
      <div class="machine-alarm">
        {reported?.alarm ? (
          <p class="note note-alarm">
            <Icon name="alarm" />
            <span>
              <strong>{text('alarm')}</strong> {reported.alarm.code} {reported.alarm.text}
            </span>
          </p>
        ) : (
          <p class="note">{text(reported && !isStale ? 'alarm_none' : 'alarm_unknown')}</p>
        )}
      </div>
      {machine.my_role !== null && (
        <div class="machine-hold">
          {holds?.length === 0 ? <p class="note">{text('no_holds')}</p> : <HoldNote holds={holds ?? []} />}
        </div>
      )}
      <dl class="facts">
        <Fact label={text('last_report')}>{reported ? <Age at={reported.at} /> : text('never_reported')}</Fact>
        <Fact label={text('mode')}>{reported?.mode ? text(`mode_${reported.mode}`) : nothing}</Fact>
        <Fact label={text('remote')}>{describeRemote(reported?.remote_enabled)}</Fact>
        <Fact label={text('cycles')}>{reported?.cycles?.toLocaleString(language.get()) ?? nothing}</Fact>
        <Fact label={text('last_cycle')}>{describeCycle(reported?.last_cycle_ms)}</Fact>
        <Fact label={text('delivery')}>{text(`delivery_${machine.delivery}`)}</Fact>
      </dl>
    </>
  )
}

function describeRemote(isEnabled: boolean | null | undefined): string {
  if (typeof isEnabled !== 'boolean') return nothing
  return text(isEnabled ? 'remote_on' : 'remote_off')
}

const describeCycle = (ms: number | null | undefined) =>
  typeof ms === 'number' ? text('seconds_value', { n: (ms / 1_000).toFixed(1) }) : nothing

export function Fact({ label, children }: { label: string; children?: unknown }) {
  return (
    <div class="fact">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}
