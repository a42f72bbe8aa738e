// Ways to fail that are the matrix's alone: services that restart, a queue that repeats itself, a Worker that is killed
// or stands still.
import { setTimeout as delay } from 'node:timers/promises'
import type { World } from '../harness.ts'
import { deliver } from '../jobs/qstash-calls.ts'
import type { CallPassage } from '../platform/faults.ts'
import type { Cell } from './scenarios.ts'

/** From the first call that a fault meets; long enough for what is tried again at once. */
export const momentMs = 1_500
const downMs = 2_000
const frozenMs = 6_000

/** What is under way is cut off, and nobody knows whether it was done; nothing answers for a while. */
export function restarting(world: World, service: Cell['service']): CallPassage {
  let down: Promise<unknown> | undefined
  return async (_call, forward) => {
    if (down === undefined) {
      down = service === 'qstash' ? world.qstash.restart() : delay(momentMs)
      await forward()
      if (service === 'redis') await world.redis.command('FLUSHDB')
      await down
    }
    return { cut: true }
  }
}

export function restartQueue(world: World): CallPassage {
  return once(async (_call, forward) => {
    const answer = await forward()
    await world.qstash.restart()
    return answer
  })
}

/** The message comes once more while the first delivery of it is still going on, and when it is over. */
export function deliverAgain(world: World, jobId: () => string): CallPassage {
  return once(async (_call, forward) => {
    await deliver(world, jobId())
    const answer = await forward()
    setTimeout(() => deliver(world, jobId()).catch(() => {}), 100) // that one is not this test's, only its harm
    return answer
  })
}

/** Kills the Worker while it waits for an answer: before or after the upstream has acted. */
export function killing(world: World, fault: Cell['fault']): CallPassage {
  return once(async (_call, forward) => {
    if (fault === 'hang' || fault === 'slow') {
      const answer = await forward()
      const goOn = await world.worker.freeze() // the answer comes while it stands still
      setTimeout(goOn, fault === 'hang' ? frozenMs : momentMs)
      return answer
    }
    if (fault === 'lost') await forward()
    await world.worker.kill()
    if (fault === 'away') await delay(downMs)
    await world.worker.start()
    return { cut: true }
  })
}

function once(passage: CallPassage): CallPassage {
  let isDone = false
  return (call, forward) => {
    if (isDone) return forward()
    isDone = true
    return passage(call, forward)
  }
}
