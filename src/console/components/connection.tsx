// Says when the server cannot be reached, and how old the data is.

import { tick } from '../clock.ts'
import { text, useLanguage } from '../language.ts'
import { connection } from '../network.ts'
import { describeProblem } from '../problem-text.ts'
import { useStore } from '../state.ts'
import { formatAge } from './age.tsx'
import { Icon } from './icon.tsx'

export function ConnectionBanner() {
  useLanguage()
  const { isLost, lastAnswerAt } = useStore(connection)
  return (
    <div class="connection" role="alert">
      {isLost && (
        <p class="connection-lost">
          <Icon name="offline" />
          <span>
            <strong>{text('connection_lost')}</strong> <LostFor since={lastAnswerAt} />
          </span>
        </p>
      )}
    </div>
  )
}

/** The times of the connection are those of this device. The ticking age is not announced each second. */
function LostFor({ since }: { since: number }) {
  useStore(tick)
  return (
    <span aria-live="off">
      {text('connection_lost_detail', { age: formatAge(new Date(since).toISOString(), Date.now()) })}
    </span>
  )
}

/** What is shown could not be read again. Like the lost connection, this moves nothing on the page. */
export function ReadProblem({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { isLost } = useStore(connection)
  return (
    <div class="connection" role="alert">
      {error !== undefined && !isLost && (
        <p class="connection-lost">
          <span>{describeProblem(error).main}</span>
          <button type="button" class="button" onClick={onRetry}>
            {text('retry')}
          </button>
        </p>
      )}
    </div>
  )
}
