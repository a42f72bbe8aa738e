// Ages that tick.
import { tick } from '../clock.ts'
import { text, useLanguage } from '../language.ts'
import { useStore } from '../state.ts'
import { ageOf, type Instant } from '../time.ts'

export function formatAge(at: string, now: Instant): string {
  const { unit, n } = ageOf(at, now)
  return text(`age_${unit}`, { n })
}

function formatSpan(since: string, now: Instant): string {
  const { unit, n } = ageOf(since, now)
  return text(`span_${unit}`, { n })
}

function useNow(): Instant {
  useLanguage()
  return useStore(tick)
}

/** "3 min ago" */
export function Age({ at }: { at: string }) {
  return (
    <time class="age" datetime={at} title={formatMoment(at)}>
      {formatAge(at, useNow())}
    </time>
  )
}

/** "for 3 min" */
export function Span({ since }: { since: string }) {
  return (
    <time class="age" datetime={since} title={formatMoment(since)}>
      {formatSpan(since, useNow())}
    </time>
  )
}

function formatMoment(at: string): string {
  const locale = document.documentElement.lang
  return new Date(at).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'medium' })
}
