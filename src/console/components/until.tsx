// When a role or a key ends.
import { tick } from '../clock.ts'
import { language, text, useLanguage } from '../language.ts'
import { useSelected } from '../state.ts'
import { dayOf, endOfDay, isEndOfDay } from '../time.ts'
import { Field } from './form.tsx'

export function Until({ at }: { at: string }) {
  useLanguage()
  const isOver = useSelected(tick, (now) => Date.parse(at) <= now)
  return (
    <time class={isOver ? 'is-over' : ''} datetime={at}>
      {text(isOver ? 'ended' : 'until', { date: formatEnd(at) })}
    </time>
  )
}

/** A program may have chosen any time; the console chooses the end of a day. */
function formatEnd(at: string): string {
  const time = isEndOfDay(at) ? {} : ({ timeStyle: 'short' } as const)
  return new Date(at).toLocaleString(language.get(), { dateStyle: 'medium', ...time })
}

export function UntilField() {
  const today = useSelected(tick, dayOf)
  return <Field name="until" type="date" label={text('until_label')} hint={text('until_hint')} min={today} isOptional />
}

/** What the field means for the API. */
export const readUntil = ({ until = '' }: Record<string, string>) => (until === '' ? null : endOfDay(until))
