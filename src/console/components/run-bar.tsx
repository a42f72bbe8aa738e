// The bar of the last 24 hours, and the same as a list for those who do not see it.
import type { Machine, StatusChange } from '../../client/api.ts'
import { serverNow } from '../clock.ts'
import { text } from '../language.ts'
import { computeRunBar, type Segment, type SegmentStatus, sumBar } from '../run-bar.ts'
import { statuses as everyStatus, useShown } from '../status.ts'
import { beginOfBar, shownMs } from '../status-history.ts'

const width = 1_440
/** All of them, always in the same place. */
const listed = [...everyStatus, 'stale', 'unknown'] as const satisfies SegmentStatus[]

export function RunBar({ statuses, machine }: { statuses: StatusChange[]; machine: Machine }) {
  useShown(machine) // renders again when the reports stop
  const now = serverNow()
  const from = beginOfBar(now)
  const segments = computeRunBar(statuses, machine.reported, from, now)
  const sums = sumBar(segments)
  return (
    <section class="panel panel-bar" aria-labelledby="bar-title">
      <h2 id="bar-title">{text('bar_title')}</h2>
      <svg class="bar" viewBox={`0 0 ${width} 48`} preserveAspectRatio="none" aria-hidden="true">
        {segments.map((segment) => (
          <Part key={segment.from} segment={segment} from={from} />
        ))}
      </svg>
      <div class="bar-scale" aria-hidden="true">
        <span>{text('bar_begin')}</span>
        <span>{text('bar_middle')}</span>
        <span>{text('bar_now')}</span>
      </div>
      <ul class="legend">
        {listed.map((status) => (
          <li key={status}>
            <span class={`legend-sign bar-${status}`} aria-hidden="true" />
            <span>
              {nameStatus(status)} <strong>{formatDuration(sums.get(status) ?? 0)}</strong>
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Part({ segment, from }: { segment: Segment; from: number }) {
  const scale = width / shownMs
  const size = Math.max(1, (segment.to - segment.from) * scale)
  return (
    <rect class={`bar-part bar-${segment.status}`} x={(segment.from - from) * scale} y="0" width={size} height="48" />
  )
}

const nameStatus = (status: SegmentStatus) => (status === 'unknown' ? text('bar_unknown') : text(`status_${status}`))

function formatDuration(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 60) return text('duration_minutes', { m: minutes })
  return text('duration', { h: Math.floor(minutes / 60), m: minutes % 60 })
}
