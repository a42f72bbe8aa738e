// How every program of this folder starts and ends: its usage text, its exit code, and which errors are messages to the
// person at the keyboard.

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

/**
 * Runs a program, or shows how to use it when `--help` or `-h` is among the arguments. Any other error than those above
 * is a defect: it is thrown again, so that Node shows its stack and exits with 1.
 * @param main reads the arguments with `parseArgs`, and gives the exit code if that is not 0
 */
export async function runProgram(usage: string, main: () => Promise<number | undefined>): Promise<void> {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    process.stdout.write(usage)
    return
  }
  try {
    process.exitCode = (await main()) ?? 0
  } catch (thrown) {
    const error = isOfParseArgs(thrown) ? new UsageError(thrown.message, { cause: thrown }) : thrown
    if (!(error instanceof ProgramError)) throw error
    process.stderr.write(error instanceof UsageError ? `${error.message}\n\n${usage}` : `${error.message}\n`)
    process.exitCode = error.exitCode
  }
}

/** https://nodejs.org/api/errors.html#err_parse_args_invalid_option_value */
function isOfParseArgs(error: unknown): error is TypeError {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}
