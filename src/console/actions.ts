// START and STOP. Each press has its own Idempotency-Key, so a repeated request is carried out once.
import type { Job } from '../client/api.ts'
import { TiebarProblem } from '../client/client.ts'
import { noteChange } from './live.ts'
import { abortReads } from './network.ts'
import { client } from './session.ts'
import { createStore } from './state.ts'

export type StopState = { phase: 'sending' | 'requested' | 'failed'; job?: Job; error?: unknown }

/** The last STOP of each machine that this page has sent. The entry of a new one replaces it. */
export const stops = createStore<ReadonlyMap<number, StopState>>(new Map())

function noteStop(machineId: number, state: StopState): void {
  stops.set(new Map(stops.get()).set(machineId, state))
}

const maxAttempts = 5

/** Repeats a STOP whose answer was lost: several times, because it matters more than any other request. */
export async function stopMachine(machineId: number): Promise<Job | undefined> {
  const idempotencyKey = crypto.randomUUID()
  noteStop(machineId, { phase: 'sending' })
  abortReads()
  for (let attempt = 1; ; attempt++) {
    try {
      const job = await client.machines.stop(machineId, { idempotencyKey })
      noteStop(machineId, { phase: 'requested', job })
      noteChange(machineId)
      return job
    } catch (error) {
      const isFinal = error instanceof TiebarProblem && error.status < 500 && error.code !== 'unknown'
      if (!isFinal && attempt < maxAttempts) continue
      noteStop(machineId, { phase: 'failed', error })
      return undefined
    }
  }
}

/** @throws TiebarProblem when it is refused */
export async function startMachine(machineId: number): Promise<Job> {
  return client.machines.start(machineId, { idempotencyKey: crypto.randomUUID() })
}
