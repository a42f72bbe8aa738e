// Interceptors that only the fault matrix uses: services that restart, a queue that delivers twice, a Worker that is
// killed or paused.
import { setTimeout as delay } from 'node:timers/promises'
import type { World } from '../harness.ts'
import { deliverEarly } from '../jobs/qstash-calls.ts'
import type { CallInterceptor } from '../platform/faults.ts'
import type { Scenario } from './scenarios.ts'

/** Counted from the first intercepted call. Long enough to include immediate retries. */
export const faultDurationMs = 1_500
const downMs = 2_000
const frozenMs = 6_000

/** Cuts off calls in progress, so that their outcome is unknown; then the service does not answer for a while. */
export function restartService(world: World, service: Scenario['service']): CallInterceptor {
  let down: Promise<unknown> | undefined
  return async (_call, forward) => {
    if (down === undefined) {
      down = service === 'qstash' ? world.qstash.restart() : delay(faultDurationMs)
      await forward()
      if (service === 'redis') await world.redis.command('FLUSHDB')
      await down
    }
    return { cut: true }
  }
}

export function restartQueue(world: World): CallInterceptor {
  return once(async (_call, forward) => {
    const answer = await forward()
    await world.qstash.restart()
    return answer
  })
}

/** Delivers the message again while its first delivery is in progress, and once more when that has ended. */
export function deliverTwice(world: World, jobId: () => string): CallInterceptor {
  return once(async (_call, forward) => {
    await deliverEarly(world, jobId())
    const answer = await forward()
    setTimeout(() => deliverEarly(world, jobId()).catch(() => {}), 100) // its answer does not matter, only its effect
    return answer
  })
}

/** Kills the Worker while it waits for an answer: before or after the upstream has acted. */
export function disturbWorker(world: World, fault: Scenario['fault']): CallInterceptor {
  return once(async (_call, forward) => {
    if (fault === 'hang' || fault === 'slow') {
      const answer = await forward()
      const resume = await world.worker.freeze() // the answer arrives while the Worker is paused
      setTimeout(resume, fault === 'hang' ? frozenMs : faultDurationMs)
      return answer
    }
    if (fault === 'lost') await forward()
    await world.worker.kill()
    if (fault === 'away') await delay(downMs)
    await world.worker.start()
    return { cut: true }
  })
}

function once(interceptor: CallInterceptor): CallInterceptor {
  let isDone = false
  return (call, forward) => {
    if (isDone) return forward()
    isDone = true
    return interceptor(call, forward)
  }
}
