// Recovery after a fault: the system continues by itself and by the cron. Time is advanced when no attempt is in
// progress (clock.ts).
import { setTimeout as delay } from 'node:timers/promises'
import type { World } from '../harness.ts'
import { trySweep } from './client.ts'
import { passTime } from './clock.ts'

const pollMs = 20
const waitMs = 2_500
const stepSeconds = 20
/** A STOP may be sent for 600 s and then be PENDING for 600 s; after that the sweep ends it. */
const longestSeconds = 1_500

/** Resolves when every job has ended and QStash has no message left, or after `longestSeconds`. */
export async function recover(world: World): Promise<void> {
  for (let seconds = 0; seconds < longestSeconds; seconds += stepSeconds) {
    if (await isReached(() => haveEnded(world), waitMs)) break
    await isReached(() => world.qstash.inFlightCount() === 0, 30_000)
    await passTime(world, stepSeconds)
    await trySweep(world)
  }
  // Messages that QStash still holds are delivered too, and must do no harm.
  await isReached(() => {
    world.qstash.advance(60_000)
    return world.qstash.messages().length === 0 && world.qstash.inFlightCount() === 0
  }, 30_000)
}

async function haveEnded(world: World): Promise<boolean> {
  const rows = await world.postgres.query("SELECT FROM jobs WHERE state IN ('QUEUED', 'SENT', 'PENDING') LIMIT 1")
  return rows.length === 0
}

/** Polls until `look` returns true. Returns false on timeout. */
export async function isReached(look: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  const givenUpAt = performance.now() + withinMs
  while (!(await look())) {
    if (performance.now() > givenUpAt) return false
    await delay(pollMs)
  }
  return true
}
