// An error: what happened, what to do, and the code to tell to support.
import { TiebarProblem } from '../../client/client.ts'
import { text } from '../language.ts'

export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const isProblem = error instanceof TiebarProblem && error.code !== 'unknown'
  return (
    <div class="problem" role="alert">
      <p class="problem-detail">{describeError(error)}</p>
      {isProblem && error.errors.length > 0 && (
        <ul class="problem-errors">
          {error.errors.map((each) => (
            <li>
              <code>{'pointer' in each ? each.pointer : each.parameter}</code> {each.detail}
            </li>
          ))}
        </ul>
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

export function describeError(error: unknown): string {
  if (!(error instanceof TiebarProblem)) return text('error_no_answer')
  return error.code === 'unknown' ? text('error_unknown') : error.message
}
