// The cache: its deadline ends with the call.
import { expect, test } from 'vitest'
import { openCache } from '../../src/infra/redis.ts'
import { Trace } from '../../src/kernel/trace.ts'
import { startRedis } from '../platform/redis.ts'

test('no timer is left when a call has ended, and one write is one command', async () => {
  const commands: unknown[] = []
  const redis = await startRedis({ onExchange: ({ request }) => commands.push(JSON.parse(request.body.toString())) })
  const cache = openCache(redis.url, redis.token)(new Trace())
  const countTimers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  try {
    await cache.read(['warm-up']) // the connection has timers of its own
    const before = countTimers()
    expect(await cache.write([{ when: 'always', key: 'timer', value: 'a', seconds: 60 }])).toBe(true)
    expect(await cache.read(['timer'])).toEqual(['a'])
    expect(countTimers()).toBeLessThanOrEqual(before)
  } finally {
    await redis.close()
  }
  expect(commands).toContainEqual(['set', 'timer', 'a', 'ex', 60])
})
