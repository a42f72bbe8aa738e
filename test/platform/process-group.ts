// Child processes that have children: they are started and stopped as a group.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

export type ProcessGroup = {
  child: ChildProcess
  /** Resolves when the leader has exited, with its exit code or signal. */
  exited: Promise<string>
  /** Sends SIGTERM, and SIGKILL after `graceMs`. */
  end(graceMs: number): Promise<void>
}

const groups = new Set<number>()
const pollMs = 25
/** A killed process exists until its parent has read its exit code. */
const afterKillMs = 500

// The groups must not outlive this process.
process.on('exit', killGroups)

/** Kills every group. */
export function killGroups(): void {
  for (const id of groups) sendSignal(id, 'SIGKILL')
}

/** The child leads a new group, so Ctrl-C in the terminal does not reach it. */
export function spawnGroup(command: string, args: string[], options: SpawnOptions): ProcessGroup {
  const child = spawn(command, args, { ...options, detached: true })
  const id = child.pid
  if (id !== undefined) groups.add(id)
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`))
  })
  return {
    child,
    exited,
    async end(graceMs) {
      if (id === undefined) return
      if (sendSignal(id, 'SIGTERM') && !(await isGoneWithin(id, graceMs))) {
        sendSignal(id, 'SIGKILL')
        await isGoneWithin(id, afterKillMs)
      }
      groups.delete(id)
    },
  }
}

async function isGoneWithin(id: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (sendSignal(id, 0)) {
    if (performance.now() > deadline) return false
    await delay(pollMs)
  }
  return true
}

/** A negative id is the group (kill(2)). @returns whether the group exists */
function sendSignal(id: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-id, signal)
  } catch {
    return false
  }
}
