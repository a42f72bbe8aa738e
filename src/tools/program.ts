// How every program of this folder starts and ends: its usage text, its exit code, and which errors are messages to the
// person who runs the program.
import type { Readable } from 'node:stream'

/** Shown as its message alone, without a stack. */
export class ProgramError extends Error {
  override readonly name: string = 'ProgramError'
  readonly exitCode: number = 1
}

/** The arguments or the variables are wrong: the usage text follows the message. */
export class UsageError extends ProgramError {
  override readonly name = 'UsageError'
  override readonly exitCode = 2
}

type Output = { write(text: string): unknown }

/** What a program reads and writes: the process, or what a test gives it. */
export type Host = {
  argv: string[]
  env: Readonly<Record<string, string | undefined>>
  stdin: Readable & { isTTY?: boolean }
  stdout: Output
  stderr: Output
  exitCode?: typeof process.exitCode
}

export type Program = {
  usage: string
  /** Reads the arguments with `parseArgs`, and returns the exit code; undefined is 0. */
  main(args: string[], host: Host): Promise<number | undefined>
}

/**
 * Runs a program, or shows how to use it when `--help` or `-h` is among the arguments. Any other error than those above
 * is a defect: it is thrown again, so that Node shows its stack and exits with 1.
 */
export async function runProgram({ usage, main }: Program, host: Host = process): Promise<void> {
  const args = host.argv.slice(2)
  if (args.some((argument) => argument === '--help' || argument === '-h')) {
    host.stdout.write(usage)
    return
  }
  try {
    host.exitCode = (await main(args, host)) ?? 0
  } catch (thrown) {
    const error = isOfParseArgs(thrown) ? new UsageError(thrown.message, { cause: thrown }) : thrown
    if (!(error instanceof ProgramError)) throw error
    host.stderr.write(error instanceof UsageError ? `${error.message}\n\n${usage}` : `${error.message}\n`)
    host.exitCode = error.exitCode
  }
}

/** https://nodejs.org/api/errors.html#err_parse_args_invalid_option_value */
function isOfParseArgs(error: unknown): error is TypeError {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}
