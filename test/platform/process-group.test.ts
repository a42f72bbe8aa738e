// Child processes and their children stop together.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { until } from './fixtures.ts'
import { spawnGroup } from './process-group.ts'

describe('a process group', () => {
  const family = ['-c', 'sleep 600 & echo $!; wait']

  async function startFamily(options: string[] = family) {
    const group = spawnGroup('sh', options, { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => group.end(0))
    const { stdout } = group.child
    if (stdout === null) throw new TypeError('its output is a pipe')
    const [chunk] = await once(stdout, 'data')
    return { group, grandchild: Number(String(chunk)) }
  }

  /** Ended, or a zombie. */
  async function isGone(pid: number): Promise<boolean> {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
    return stat.slice(stat.lastIndexOf(')')).startsWith(') Z')
  }

  test.skipIf(process.platform !== 'linux')('stops with its grandchildren', async () => {
    const { group, grandchild } = await startFamily()
    expect(await isGone(grandchild)).toBe(false)
    await group.end(5_000)
    expect(await group.exited).toBe('signal SIGTERM')
    await until(() => isGone(grandchild), 'the end of the grandchild')
  })

  test.skipIf(process.platform !== 'linux')('is killed when it does not stop in time', async () => {
    const { group, grandchild } = await startFamily(['-c', 'trap "" TERM; (trap "" TERM; sleep 600) & echo $!; wait'])
    await group.end(100)
    expect(await group.exited).toBe('signal SIGKILL')
    await until(() => isGone(grandchild), 'the end of the grandchild')
  })
})
