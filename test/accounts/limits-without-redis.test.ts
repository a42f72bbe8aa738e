// Redis unavailable: the limits fail open, and requests do not wait for them.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import {
  anAddress,
  clearSeconds,
  from,
  type LimitedWorld,
  logInWindowSeconds,
  useLimitedWorld,
  wrong,
} from './limited.ts'
import { signIn, stayClearOfTurn } from './people.ts'

let { world, logIn, signUp, aPerson } = {} as LimitedWorld // until `beforeAll`
beforeAll(async () => {
  ;({ world, logIn, signUp, aPerson } = await useLimitedWorld())
})
beforeEach(() => stayClearOfTurn(logInWindowSeconds, clearSeconds))

async function withRedisAt(url: string, run: () => Promise<void>): Promise<void> {
  await world.reconfigure({ UPSTASH_REDIS_REST_URL: url })
  try {
    await run()
  } finally {
    await world.reconfigure({})
  }
}

test('without Redis nothing is limited, and sessions can still be ended', async () => {
  const { username, password } = await aPerson()
  const address = anAddress()
  await withRedisAt('http://127.0.0.1:9', async () => {
    for (const _again of [1, 2, 3]) expect((await logIn(username, wrong, address)).status).toBe(401)
    const session = await signIn(world, { username, password }, from(address))
    for (const _again of [1, 2, 3, 4]) expect((await signUp(address)).status).toBe(201)
    expect((await session.request('POST', '/api/log-out')).status).toBe(204)
    expect((await session.request('GET', '/api/me')).status).toBe(401)
  })
})

test('a Redis that never answers delays a log-in only by its timeout', async () => {
  const { username, password } = await aPerson()
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const { port } = silent.address() as AddressInfo // a TCP server's
  try {
    await withRedisAt(`http://127.0.0.1:${port}`, async () => {
      await logIn(username, password, anAddress()) // warms up the Worker
      const beganAt = performance.now()
      expect((await logIn(username, password, anAddress())).status).toBe(200)
      // 300 ms, two round trips and a hash, with a margin for a busy computer.
      expect(performance.now() - beganAt).toBeLessThan(4_000)
    })
  } finally {
    silent.closeAllConnections()
    silent.close()
  }
})
