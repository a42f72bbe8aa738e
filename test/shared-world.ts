// One world for all test files of a vitest worker, because starting a world takes a second. A file that needs another
// kind of world, or counts everything in its world, starts its own (startWorld).
import { test } from 'vitest'
import { startWorld, type Variables, type World } from './harness.ts'
import { keepMessages } from './platform/faults.ts'

let starting: Promise<World> | undefined

/** For `beforeAll`: the world of this worker, without faults and messages, and with these variables. */
export async function useWorld(vars: Variables = {}): Promise<World> {
  starting ??= startWorld()
  const world = await starting
  await world.reset(vars)
  return world
}

/** QStash accepts every message and delivers none, so that the test decides when a job is delivered. */
export async function useQuietWorld(vars: Variables = {}): Promise<World> {
  const world = await useWorld(vars)
  world.faults.qstash.pass = keepMessages
  return world
}

const close = async () => (await starting)?.close()

/** Closes the world when the worker has run its last file. */
export const inWorker = test
  .extend('end', { scope: 'worker' }, { close })
  .extend('sharedWorld', { scope: 'worker' }, ({ end }, { onCleanup }) => onCleanup(end.close))
