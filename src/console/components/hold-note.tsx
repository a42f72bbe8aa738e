// That somebody is at the machine.
import type { Hold } from '../../client/api.ts'
import { text } from '../language.ts'
import { Age } from './age.tsx'
import { Icon } from './icon.tsx'

/** One line for all holds: how many, if there are several, and what the first is for. */
export function HoldNote({ holds }: { holds: Hold[] }) {
  const [first] = holds
  if (!first) return null
  return (
    <p class="note note-hold" title={`${text('held')} ${holds.map(({ reason }) => reason).join(', ')}`}>
      <Icon name="hold" />
      <span class="clamp">
        <strong>{text('held')}</strong> {holds.length > 1 && `(${holds.length}) `}
        {first.reason}
      </span>
      <Age at={first.placed_at} />
    </p>
  )
}
