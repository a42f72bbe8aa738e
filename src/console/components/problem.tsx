// An error: what happened, what to do, and the code for the support.
import { TiebarProblem } from '../../client/client.ts'
import { text } from '../language.ts'
import { describeProblem } from '../problem-text.ts'

export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const isProblem = error instanceof TiebarProblem && error.code !== 'unknown'
  const { main, detail, faults } = describeProblem(error)
  return (
    <div class="problem" role="alert">
      <p class="problem-main">{main}</p>
      {faults.length > 0 && (
        <ul class="problem-faults">
          {faults.map(({ what, detail }) => (
            <li key={`${what} ${detail}`}>
              <strong>{what}</strong> <span lang="en">{detail}</span>
            </li>
          ))}
        </ul>
      )}
      {detail && (
        <p class="problem-detail" lang="en">
          {detail}
        </p>
      )}
      {isProblem && (
        <p class="problem-code">
          {text('error_code', { code: error.code })}
          {error.requestId && <span> · {text('error_request', { id: error.requestId })}</span>}
        </p>
      )}
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          {text('retry')}
        </button>
      )}
    </div>
  )
}
