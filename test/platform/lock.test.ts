// One run per folder: the error has the holder, and the lock of an ended process is replaced.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createTempDir } from './fixtures.ts'
import { takeLock } from './lock.ts'

/** The id of a process that has ended. */
async function deadProcessId(): Promise<number> {
  const child = spawn(process.execPath, ['--eval', ''])
  await once(child, 'exit')
  if (child.pid === undefined) throw new TypeError('node did not start')
  return child.pid
}

const holder = { token: 'another', since: '2026-01-01T00:00:00.000Z' }

test('the lock file exists while the lock is held, and has its process', async () => {
  const dir = join(await createTempDir(), 'made/on/the/way')
  const lock = await takeLock(dir)
  expect(JSON.parse(await readFile(lock.path, 'utf8'))).toMatchObject({ pid: process.pid })
  await lock.release()
  expect(await readdir(dir)).toEqual([])
})

test('a held lock is refused; the error has the process and what to do', async () => {
  const dir = await createTempDir()
  const lock = await takeLock(dir)
  const refused = takeLock(dir)
  await expect(refused).rejects.toThrow(`${dir} is in use by process ${process.pid}`)
  await expect(refused).rejects.toThrow(/kill \d+.*LOCAL_DIR=/)
  await lock.release()
  await (await takeLock(dir)).release()
})

test('the lock of an ended process is replaced, and its old holder cannot release the new one', async () => {
  const dir = await createTempDir()
  await writeFile(join(dir, 'lock'), JSON.stringify({ ...holder, pid: await deadProcessId(), process_start: null }))
  const lock = await takeLock(dir)
  expect(JSON.parse(await readFile(lock.path, 'utf8'))).toMatchObject({ pid: process.pid })
  await writeFile(lock.path, JSON.stringify({ ...holder, pid: process.pid, process_start: null }))
  await lock.release()
  expect(await readdir(dir)).toEqual(['lock'])
})

test.skipIf(process.platform !== 'linux')('a reused process id does not hold the lock', async () => {
  const dir = await createTempDir()
  await writeFile(join(dir, 'lock'), JSON.stringify({ ...holder, pid: process.pid, process_start: '1' }))
  await (await takeLock(dir)).release()
})

test('if several find a stale lock at the same time, one gets it', async () => {
  const pid = await deadProcessId()
  for (let round = 0; round < 20; round++) {
    const dir = await createTempDir()
    await writeFile(join(dir, 'lock'), JSON.stringify({ ...holder, pid, process_start: null }))
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(dir)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await readdir(dir)).toEqual(['lock'])
  }
})
