// Runs an example as whoever copies it would.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export type Program = {
  child: ChildProcess
  lines: string[]
  /** The first line that fits, also one that is still to come. @throws Error when the program ends before */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>
  /** Its exit code. */
  ended: Promise<number | null>
}

export function runExample(file: string, args: string[], env: Record<string, string>, cwd?: string): Program {
  const child = spawn(process.execPath, [file, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(cwd && { cwd }),
  })
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout as NodeJS.ReadableStream }) // piped, so it is there
  let tell = () => {}
  let isOver = false
  reader.on('line', (line) => {
    lines.push(line)
    tell()
  })
  reader.on('close', () => {
    isOver = true
    tell()
  })
  return {
    child,
    lines,
    ended: new Promise((resolve) => child.once('close', resolve)),
    async waitFor(pattern) {
      for (;;) {
        for (const line of lines) {
          const found = pattern.exec(line)
          if (found) return found
        }
        if (isOver) throw new Error(`the program ended without ${pattern}: ${JSON.stringify(lines)}`)
        await new Promise<void>((resolve) => {
          tell = resolve
        })
      }
    },
  }
}
