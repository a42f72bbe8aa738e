// The status of a machine: colour, form and word, with its source and age.
import { text } from '../language.ts'
import { type Shown, useShown } from '../status.ts'
import { Span } from './age.tsx'
import { Icon } from './icon.tsx'

/** A status that the machine does not report itself has an outline instead of a filled sign. */
function StatusBadge({ shown, isLarge = false }: { shown: Shown; isLarge?: boolean }) {
  const certainty = shown.isReported ? 'is-reported' : 'is-believed'
  return (
    <span class={`status status-${shown.status} ${certainty} ${isLarge ? 'is-large' : ''}`}>
      <span class="status-sign">
        <Icon name={shown.status} />
      </span>
      <span class="status-word">{text(`status_${shown.status}`)}</span>
    </span>
  )
}

/** Where the status comes from. */
function describeSource({ status, last, source }: Shown): string {
  if (status === 'stale') return text('stale_last', { status: text(`status_${last}`) })
  return text(`source_${source}`)
}

type Part = Parameters<typeof useShown>[0]

export function MachineStatus({ machine, isLarge = false }: { machine: Part; isLarge?: boolean }) {
  const shown = useShown(machine)
  return (
    <div class="machine-status">
      <StatusBadge shown={shown} isLarge={isLarge} />
      <span class="status-since">
        <Span since={shown.since} />
      </span>
      <span class="status-source">{describeSource(shown)}</span>
    </div>
  )
}
