// A button that sends a request and shows what went wrong. If `isDanger` is set, it needs a second press.
import { useState } from 'hono/jsx/dom'
import { text } from '../language.ts'
import { useAction } from '../use-action.ts'
import { Problem } from './problem.tsx'

type Props = {
  label: string
  /** For screen readers, where the label alone does not say of what. */
  name?: string
  onAct: () => Promise<unknown>
  isDanger?: boolean
}

const confirmMs = 5_000

export function ActionButton({ label, name, onAct, isDanger = false }: Props) {
  const [isAsking, setAsking] = useState(false)
  const { isBusy, error, run } = useAction()
  const press = async () => {
    if (isBusy) return
    if (isDanger && !isAsking) {
      setAsking(true)
      setTimeout(() => setAsking(false), confirmMs)
      return
    }
    setAsking(false)
    await run(onAct)
  }
  return (
    <>
      <button
        type="button"
        class={`button ${isDanger ? 'is-danger' : ''}`}
        aria-disabled={isBusy ? 'true' : 'false'}
        {...(name && !isAsking && { 'aria-label': name })}
        onClick={() => void press()}
      >
        {isAsking ? text('confirm_again') : label}
      </button>
      {error !== undefined && <Problem error={error} />}
    </>
  )
}
