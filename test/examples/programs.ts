// Runs an example as a copy or with the command in its comment.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { spawnGroup } from '../platform/process-group.ts'

const root = join(import.meta.dirname, '../..')

export type Program = {
  child: ChildProcess
  lines: string[]
  /** Waits for the first line that matches. @throws Error when the program ends before */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>
  /** Its exit code. */
  ended: Promise<number | null>
}

/** A file for what a restart of an example must find. */
export function newFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'tiebar-example-')), 'state.json')
}

export function runExample(file: string, args: string[], env: Record<string, string>, cwd?: string): Program {
  const child = spawn(process.execPath, [file, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(cwd && { cwd }),
  })
  return follow(child)
}

/**
 * Runs the first command of the file's comment in a shell at the root of the project, where `node` is the system's Node.
 * `end` ends all its processes.
 * @param words replace the words in capitals in the command
 */
export function runCommandOf(file: string, env: Record<string, string>, words: Record<string, string> = {}) {
  const command = /`(.*?)`/.exec(readFileSync(join(import.meta.dirname, file), 'utf8'))?.[1] ?? 'false'
  const filled = Object.entries(words).reduce((text, [word, value]) => text.replace(word, `'${value}'`), command)
  const { PATH = '', HOME = '' } = process.env
  const ownPath = PATH.split(delimiter).filter((dir) => !dir.includes('node_modules'))
  const group = spawnGroup('sh', ['-c', filled], {
    cwd: root,
    env: { HOME, PATH: ownPath.join(delimiter), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return { ...follow(group.child), end: () => group.end(5_000) }
}

function follow(child: ChildProcess): Program {
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout as NodeJS.ReadableStream }) // not null, because it is piped
  let wake = () => {}
  let isOver = false
  reader.on('line', (line) => {
    lines.push(line)
    wake()
  })
  reader.on('close', () => {
    isOver = true
    wake()
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
          wake = resolve
        })
      }
    },
  }
}
