// What the machine reports about itself.
import type { Machine } from '../../client/api.ts'
import { language, text } from '../language.ts'
import { Age } from './age.tsx'
import { Icon } from './icon.tsx'

export function MachineFacts({ machine }: { machine: Machine }) {
  const { reported } = machine
  return (
    <>
      {reported?.alarm && (
        <p class="note note-alarm">
          <Icon name="alarm" />
          <span>
            <strong>{text('alarm')}</strong> {reported.alarm.code} {reported.alarm.text}
          </span>
        </p>
      )}
      <dl class="facts">
        <Fact label={text('last_report')}>{reported ? <Age at={reported.at} /> : text('never_reported')}</Fact>
        {reported?.mode && <Fact label={text('mode')}>{text(`mode_${reported.mode}`)}</Fact>}
        {typeof reported?.remote_enabled === 'boolean' && (
          <Fact label={text('remote')}>{text(reported.remote_enabled ? 'remote_on' : 'remote_off')}</Fact>
        )}
        {typeof reported?.cycles === 'number' && (
          <Fact label={text('cycles')}>{reported.cycles.toLocaleString(language.get())}</Fact>
        )}
        {typeof reported?.last_cycle_ms === 'number' && (
          <Fact label={text('last_cycle')}>
            {text('seconds_value', { n: (reported.last_cycle_ms / 1_000).toFixed(1) })}
          </Fact>
        )}
        <Fact label={text('delivery')}>{text(`delivery_${machine.delivery}`)}</Fact>
      </dl>
    </>
  )
}

export function Fact({ label, children }: { label: string; children?: unknown }) {
  return (
    <div class="fact">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}
