// A well-behaved client: it repeats a request with the same Idempotency-Key until it gets a final answer.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type Person, poll, type World } from '../harness.ts'

export type CommandRequest = { machineId: number; command: 'START' | 'STOP'; expiresIn?: number | undefined }

const pauseMs = 200

/** Returns the id of the job, or undefined when it was refused. @throws Error for any other answer */
export async function requestUntilAnswered(
  person: Person,
  { machineId, command, expiresIn }: CommandRequest,
): Promise<string | undefined> {
  const options = {
    body: { command, ...(expiresIn !== undefined && { expires_in: expiresIn }) },
    headers: { 'Idempotency-Key': randomUUID() },
  }
  const answer = await poll(async () => {
    const value = await sendOnce(person, `/api/machines/${machineId}/operation`, options)
    const isDone = value !== undefined && value.status !== 503
    if (!isDone) await delay(pauseMs)
    return { isDone, value }
  }, `an answer to the ${command}`)
  if (answer?.status === 202) return answer.body.id
  if (answer?.status === 409) return undefined
  throw new Error(`${command} was answered ${answer?.status}: ${answer?.text}`)
}

/** Returns undefined when there is no answer, because the Worker is being killed. */
async function sendOnce(person: Person, path: string, options: object): Promise<Answer | undefined> {
  try {
    return await person.request('POST', path, options)
  } catch (error) {
    if (error instanceof TypeError) return undefined // what `fetch` throws
    throw error
  }
}

/** Runs the cron once. Returns false when the Worker could not be reached. */
export async function trySweep(world: World): Promise<boolean> {
  try {
    await world.sweep()
    return true
  } catch {
    return false // the next cron run does the work
  }
}
