// The common rules of all programs: usage text, exit codes, and which errors print a stack.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { type Ended, runTool, startTool } from './programs.ts'

// Starting a program takes seconds on a busy computer.
vi.setConfig({ testTimeout: 90_000 })

test.each(['db-migrate', 'doctor', 'import', 'keys', 'openapi', 'staff'])('%s prints its usage', async (name) => {
  const help = await startTool(name, ['--help'])
  expect(help).toEqual({ code: 0, stdout: expect.stringMatching(/^usage: /), stderr: '' })
  expect(await runTool(name, ['--help'])).toEqual(help)
  expect(await runTool(name, ['-h'])).toEqual(help)
  const wrong = await runTool(name, ['--what'])
  expect([wrong.code, wrong.stdout]).toEqual([2, ''])
  expect(wrong.stderr).toMatch(/^Unknown option '--what'/)
  expect(wrong.stderr.endsWith(`\n\n${help.stdout}`)).toBe(true)
})

/** Runs a program whose `main` is this code. */
async function runMain(code: string): Promise<Ended> {
  const program = `
    import { ProgramError, runProgram, UsageError } from ${JSON.stringify(join(import.meta.dirname, '../../src/tools/program.ts'))}
    await runProgram({ usage: 'usage: it\\n', main: async () => { ${code} } })`
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ended) => error,
  )
}

test.each([
  ['nothing', '', 0, ''],
  ['an exit code', 'return 3', 3, ''],
  ['a ProgramError', "throw new ProgramError('It is full.')", 1, 'It is full.\n'],
  ['wrong usage', "throw new UsageError('Say which.')", 2, 'Say which.\n\nusage: it\n'],
])('a program that ends with %s', async (_what, main, code, stderr) => {
  expect(await runMain(main)).toMatchObject({ code, stdout: '', stderr })
})

test('a defect prints its stack, also if the error has a code', async () => {
  const { code, stderr } = await runMain("new URL('nowhere')")
  expect(code).toBe(1)
  expect(stderr).toMatch(/TypeError: Invalid URL\n\s+at /)
  expect(stderr).not.toContain('usage:')
})
