// Child processes with children of their own: started as a group, ended as a group, and never left behind.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

export type ProcessGroup = {
  child: ChildProcess
  /** Resolves when the leader has ended, with how. */
  exited: Promise<string>
  /** Asks all of them to end, and kills what is left after `graceMs`. */
  end(graceMs: number): Promise<void>
}

const groups = new Set<number>()
const pollMs = 25
/** How long a killed group may still be seen: a dead process is listed until its parent has taken note. */
const afterKillMs = 500

// Whatever way this process ends, the groups end with it.
process.on('exit', killGroups)

/** Kills every group at once. */
export function killGroups(): void {
  for (const id of groups) sendSignal(id, 'SIGKILL')
}

/** The child leads a group of its own: a Ctrl-C at the terminal reaches us and not it. */
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
  const givenUpAt = performance.now() + withinMs
  while (sendSignal(id, 0)) {
    if (performance.now() > givenUpAt) return false
    await delay(pollMs)
  }
  return true
}

/** A negative id is a whole group (kill(2)). @returns whether there was anyone to receive it */
function sendSignal(id: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-id, signal)
  } catch {
    return false
  }
}
