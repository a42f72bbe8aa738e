// STOP: one tap, no question, at any time.
import { useLayoutEffect } from 'hono/jsx/dom'
import type { Job } from '../../client/api.ts'
import { TiebarProblem } from '../../client/client.ts'
import { noteStopJob, stopMachine, stops } from '../actions.ts'
import { text } from '../language.ts'
import { describeProblem } from '../problem-text.ts'
import { useStore } from '../state.ts'
import { Icon } from './icon.tsx'

type Props = { machineId: number; name: string; isLarge?: boolean }

export function StopButton({ machineId, name, isLarge = false }: Props) {
  const state = useStore(stops).get(machineId)
  const isSending = state?.phase === 'sending'
  return (
    <button
      type="button"
      class={`button stop ${isLarge ? 'is-large' : ''} ${isSending ? 'is-busy' : ''}`}
      aria-label={text('stop_named', { name })}
      {...(isLarge && { 'aria-keyshortcuts': 'Control+. Meta+.' })}
      onClick={() => void stopMachine(machineId)}
    >
      <Icon name="stop" />
      <span>{isSending ? text('stop_sending') : text('stop')}</span>
    </button>
  )
}

/**
 * A message if the last STOP from this page failed. It covers what is in its place, because it must not move the button.
 * @param job the latest job that is known
 */
export function StopNote({ machineId, job }: { machineId: number; job: Job | null | undefined }) {
  const state = useStore(stops).get(machineId)
  useLayoutEffect(() => {
    if (job) noteStopJob(job)
  }, [job?.id, state])
  if (state?.phase !== 'failed') return null
  return (
    <div class="stop-failed" role="alert">
      <p>{text('stop_failed')}</p>
      {state.error instanceof TiebarProblem && <p class="stop-reason clamp">{describeProblem(state.error).main}</p>}
    </div>
  )
}
