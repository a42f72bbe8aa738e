// Runs a program of src/tools: in this process, because loading its packages takes half a second, or as a child process.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type Host, type Program, runProgram } from '../../src/tools/program.ts'

export type Ended = { code: number | null; stdout: string; stderr: string }

/** @property env the complete environment of the program */
type Given = { env?: Record<string, string>; input?: string }

const pathOf = (name: string) => join(import.meta.dirname, `../../src/tools/${name}.ts`)

/** Runs it in this process. */
export async function runTool(name: string, args: string[], { env = {}, input = '' }: Given = {}): Promise<Ended> {
  const { program }: { program: Program } = await import(pathOf(name))
  const ended = { code: 0, stdout: '', stderr: '' }
  const writer = (stream: 'stdout' | 'stderr') => ({
    write(chunk: string) {
      ended[stream] += chunk
    },
  })
  const stdin = Readable.from([Buffer.from(input)])
  const host: Host = { argv: ['node', name, ...args], env, stdin, stdout: writer('stdout'), stderr: writer('stderr') }
  await runProgram(program, host)
  return { ...ended, code: Number(host.exitCode ?? 0) }
}

/** Runs it as a user does. */
export async function startTool(
  name: string,
  args: string[],
  { env = {}, input = '', cwd }: Given & { cwd?: string } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [pathOf(name), ...args], { env, ...(cwd && { cwd }) })
  child.stdin.on('error', () => {}) // the program may end before it reads stdin
  child.stdin.end(input)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}
