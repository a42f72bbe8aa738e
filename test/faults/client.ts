// A client as it should be: it asks again with the same key until it knows what became of its request.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type Person, poll, type World } from '../harness.ts'

export type Wish = { machineId: number; command: 'START' | 'STOP'; expiresIn?: number | undefined }

const pauseMs = 200

/** The id of the job, or undefined when it was refused. @throws Error for an answer that a request must not get */
export async function insist(person: Person, { machineId, command, expiresIn }: Wish): Promise<string | undefined> {
  const options = {
    body: { command, ...(expiresIn !== undefined && { expires_in: expiresIn }) },
    headers: { 'Idempotency-Key': randomUUID() },
  }
  const answer = await poll(async () => {
    const value = await ask(person, `/api/machines/${machineId}/operation`, options)
    const isDone = value !== undefined && value.status !== 503
    if (!isDone) await delay(pauseMs)
    return { isDone, value }
  }, `an answer to the ${command}`)
  if (answer?.status === 202) return answer.body.id
  if (answer?.status === 409) return undefined
  throw new Error(`${command} was answered ${answer?.status}: ${answer?.text}`)
}

/** Undefined when nobody answers: the Worker is being killed. */
async function ask(person: Person, path: string, options: object): Promise<Answer | undefined> {
  try {
    return await person.request('POST', path, options)
  } catch (error) {
    if (error instanceof TypeError) return undefined // what `fetch` throws
    throw error
  }
}

/** Lets the cron run once. False when it did not get through. */
export async function trySweep(world: World): Promise<boolean> {
  try {
    await world.sweep()
    return true
  } catch {
    return false // the next minute's will
  }
}
