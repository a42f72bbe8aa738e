// START and STOP. Each press has its own Idempotency-Key, so a repeated request is carried out once.
import type { Job } from '../client/api.ts'
import { TiebarProblem } from '../client/client.ts'
import { serverNow } from './clock.ts'
import { noteChange } from './live.ts'
import { abortReads } from './network.ts'
import { client, session } from './session.ts'
import { createStore } from './state.ts'
import type { Instant } from './time.ts'

export type StopState = {
  phase: 'sending' | 'requested' | 'failed'
  /** The Idempotency-Key of the press. */
  key: string
  sentAt: Instant
  error?: unknown
}

/** The last STOP of each machine that this page has sent in this session. The entry of a new one replaces it. */
export const stops = createStore<ReadonlyMap<number, StopState>>(new Map())
session.subscribe(() => stops.set(new Map()))

function noteStop(machineId: number, state: StopState): void {
  stops.set(new Map(stops.get()).set(machineId, state))
}

/** Not if there was another press meanwhile, or the session has ended. */
function noteOutcome(machineId: number, state: StopState): void {
  if (stops.get().get(machineId)?.key === state.key) noteStop(machineId, state)
}

/** A STOP that was requested after a failed one makes up for it, whoever has sent it. */
export function noteStopJob({
  machine_id,
  command,
  requested_at,
}: Pick<Job, 'machine_id' | 'command' | 'requested_at'>) {
  const state = stops.get().get(machine_id)
  if (command !== 'STOP' || state?.phase !== 'failed' || Date.parse(requested_at) < state.sentAt) return
  const others = new Map(stops.get())
  others.delete(machine_id)
  stops.set(others)
}

const maxAttempts = 5

/** Repeats a STOP whose answer was lost: several times, because it matters more than any other request. */
export async function stopMachine(machineId: number): Promise<Job | undefined> {
  const press = { key: crypto.randomUUID(), sentAt: serverNow() }
  noteStop(machineId, { ...press, phase: 'sending' })
  abortReads()
  for (let attempt = 1; ; attempt++) {
    try {
      const job = await client.machines.stop(machineId, { idempotencyKey: press.key })
      noteOutcome(machineId, { ...press, phase: 'requested' })
      noteChange(machineId)
      return job
    } catch (error) {
      const isFinal = error instanceof TiebarProblem && error.status < 500 && error.code !== 'unknown'
      if (!isFinal && attempt < maxAttempts) continue
      noteOutcome(machineId, { ...press, phase: 'failed', error })
      return undefined
    }
  }
}

/** @throws TiebarProblem when it is refused */
export async function startMachine(machineId: number): Promise<Job> {
  return client.machines.start(machineId, { idempotencyKey: crypto.randomUUID() })
}
