// Ages that tick.
import { tick } from '../clock.ts'
import { text, useLanguage } from '../language.ts'
import { useSelected } from '../state.ts'
import { ageOf, type Instant } from '../time.ts'

export function formatAge(at: string, now: Instant): string {
  const { unit, n } = ageOf(at, now)
  return text(`age_${unit}`, { n })
}

function formatSpan(since: string, now: Instant): string {
  const { unit, n } = ageOf(since, now)
  return text(`span_${unit}`, { n })
}

/** "3 min ago" */
export function Age({ at }: { at: string }) {
  useLanguage()
  return (
    <time class="age" datetime={at} title={formatMoment(at)}>
      {useSelected(tick, (now) => formatAge(at, now))}
    </time>
  )
}

/** "for 3 min" */
export function Span({ since }: { since: string }) {
  useLanguage()
  return (
    <time class="age" datetime={since} title={formatMoment(since)}>
      {useSelected(tick, (now) => formatSpan(since, now))}
    </time>
  )
}

function formatMoment(at: string): string {
  const locale = document.documentElement.lang
  return new Date(at).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'medium' })
}

/** The age of everything that the screen shows. Its place is there before anything is read. */
export function DataAge({ at }: { at: Instant | undefined }) {
  useLanguage()
  const age = useSelected(tick, (now) => (at === undefined ? '' : formatAge(new Date(at).toISOString(), now)))
  return <span class="data-age">{age && text('data_from', { age })}</span>
}
