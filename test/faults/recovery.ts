// After a fault: everything goes on by itself, and the cron comes. Time is stepped where nothing is under way (clock.ts).
import { setTimeout as delay } from 'node:timers/promises'
import type { World } from '../harness.ts'
import { trySweep } from './client.ts'
import { passTime } from './clock.ts'

const pollMs = 20
const naturalMs = 2_500
const stepSeconds = 20
/** A STOP may be sent for 600 s and be PENDING for as long; then the sweep ends it. */
const longestSeconds = 1_500

/** Resolves when every job has ended and QStash has nothing left; or in vain, which the invariants then tell. */
export async function recover(world: World): Promise<void> {
  for (let seconds = 0; seconds < longestSeconds; seconds += stepSeconds) {
    if (await isReached(() => haveEnded(world), naturalMs)) break
    await isReached(() => world.qstash.inFlightCount() === 0, 30_000)
    await passTime(world, stepSeconds)
    await trySweep(world)
  }
  // What is still on its way must do no harm either.
  await isReached(() => {
    world.qstash.advance(60_000)
    return world.qstash.messages().length === 0 && world.qstash.inFlightCount() === 0
  }, 30_000)
}

async function haveEnded(world: World): Promise<boolean> {
  const rows = await world.postgres.query("SELECT FROM jobs WHERE state IN ('QUEUED', 'SENT', 'PENDING') LIMIT 1")
  return rows.length === 0
}

/** Looks again and again until it is so; false when it is not in time. */
export async function isReached(look: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  const givenUpAt = performance.now() + withinMs
  while (!(await look())) {
    if (performance.now() > givenUpAt) return false
    await delay(pollMs)
  }
  return true
}
