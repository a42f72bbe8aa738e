// One run per folder: a lock file with the process that holds it. The lock of a process that has ended is replaced.
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { PlatformError } from './platform-error.ts'

export type Lock = { path: string; release(): Promise<void> }

const holderSchema = z.object({
  pid: z.int().positive(),
  /** The start time of the process in the system's units, because process ids are reused; null if it is not known. */
  process_start: z.string().nullable(),
  token: z.string(),
  since: z.string(),
})
type Holder = z.infer<typeof holderSchema>

const longestTryMs = 5_000
const pollMs = 20

/**
 * Takes the lock of a folder, which is created if missing.
 * @throws PlatformError with the process that holds the lock
 */
export async function takeLock(dir: string): Promise<Lock> {
  await mkdir(dir, { recursive: true })
  const path = join(dir, 'lock')
  const holder: Holder = {
    pid: process.pid,
    process_start: await readProcessStart(process.pid),
    token: crypto.randomUUID(),
    since: new Date().toISOString(),
  }
  const deadline = performance.now() + longestTryMs
  while (!(await tryToTake(path, holder))) {
    if (performance.now() > deadline) throw isStuck(dir, path)
    const other = await readHolder(path)
    if (other !== undefined && (await isAlive(other))) throw isHeld(dir, other)
    if (other === undefined || !(await removeStale(path, other, holder))) await delay(pollMs)
  }
  return {
    path,
    async release() {
      if ((await readHolder(path))?.token === holder.token) await rm(path, { force: true })
    },
  }
}

function isHeld(dir: string, { pid, since }: Holder): PlatformError {
  return new PlatformError(
    `${dir} is in use by process ${pid} (since ${since}). Stop that run (kill ${pid}), ` +
      'or set another folder with LOCAL_DIR=.',
  )
}

function isStuck(dir: string, path: string): PlatformError {
  return new PlatformError(
    `${path} is not a valid lock file, or ${takeoverOf(path)} exists. Delete both if no run uses ${dir}.`,
  )
}

/** `link` is atomic and fails if the path exists, so a lock file is always complete. */
async function tryToTake(path: string, holder: Holder): Promise<boolean> {
  const draft = `${path}.${holder.token}`
  await writeFile(draft, `${JSON.stringify(holder)}\n`)
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/**
 * Several processes may find the same stale lock. Only the one that holds a second lock may delete it, and only if it is still
 * the same lock.
 * @returns false if another process holds the second lock
 */
async function removeStale(path: string, stale: Holder, holder: Holder): Promise<boolean> {
  const takeover = takeoverOf(path)
  if (!(await tryToTake(takeover, holder))) return false
  try {
    if ((await readHolder(path))?.token === stale.token) await rm(path, { force: true })
    return true
  } finally {
    await rm(takeover, { force: true })
  }
}

function takeoverOf(path: string): string {
  return `${path}.takeover`
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}

async function isAlive({ pid, process_start }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false
  }
  return process_start === null || process_start === (await readProcessStart(pid))
}

/** Fields 3 and 22 of proc(5)'s stat, counted after the name, which may hold spaces and parentheses. */
async function readProcessStart(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const isZombie = fields[0] === 'Z'
    return isZombie ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
