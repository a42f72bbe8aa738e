// Runs a program of src/tools as a child process.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export type Ended = { code: number | null; stdout: string; stderr: string }

/** @param env the complete environment of the program */
export async function runTool(
  name: string,
  args: string[],
  { env = {}, input = '', cwd }: { env?: Record<string, string>; input?: string; cwd?: string } = {},
): Promise<Ended> {
  const program = join(import.meta.dirname, `../../src/tools/${name}.ts`)
  const child = spawn(process.execPath, [program, ...args], { env, ...(cwd && { cwd }) })
  child.stdin.on('error', () => {}) // the program may end before it reads stdin
  child.stdin.end(input)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}
