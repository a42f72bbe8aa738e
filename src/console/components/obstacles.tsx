// Everything that prevents a START and what to do about it, in a place whose height does not depend on how much that is.
import type { Preflight } from '../../client/api.ts'
import { text } from '../language.ts'
import { Age } from './age.tsx'
import { Person } from './person.tsx'

export function Obstacles({ reasons }: { reasons: Preflight['reasons'] }) {
  return (
    <section class="obstacles" tabindex={0} aria-label={text('start_blocked')}>
      <p class="obstacles-title">{text('start_blocked')}</p>
      <ul>
        {reasons.map((reason) => (
          <li key={`${reason.code}-${reason.by}-${reason.since}`}>
            <strong>{text(`why_${reason.code}`)}</strong>
            <span class="obstacle-detail">
              {reason.by !== undefined && <Person id={reason.by} />}
              {reason.since !== undefined && (
                <>
                  {' '}
                  <Age at={reason.since} />
                </>
              )}
            </span>
            <span class="obstacle-todo">{text(`todo_${reason.code}`)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
