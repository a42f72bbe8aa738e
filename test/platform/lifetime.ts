// Signals and exit codes: the first signal stops the program in order, a second one kills its child processes.
import { constants } from 'node:os'
import { ProgramError } from '../../src/tools/program.ts'
import { PlatformError } from './platform-error.ts'
import { killGroups } from './process-group.ts'

/** One Ctrl-C gives two SIGINTs: the terminal sends one, and npm forwards another. */
const sameSignalMs = 400
/** After that time the program exits even if the work has not stopped. */
const longestEndMs = 20_000

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Errors for the user: they are printed without a stack. */
const userErrors = [PlatformError, ProgramError]

/**
 * Runs the work, which must stop what it started when `stop` is aborted, and exits: with 128 + the signal's number after a
 * signal, 1 after an error, else 0.
 */
export async function runUntilStopped(work: (stop: AbortSignal) => Promise<void>): Promise<never> {
  const stop = new AbortController()
  let exitCode = 0
  let stoppedAt = 0
  const onSignal = (signal: (typeof signals)[number]) => {
    if (stop.signal.aborted) {
      if (performance.now() - stoppedAt > sameSignalMs) killGroups()
      return
    }
    stoppedAt = performance.now()
    exitCode = 128 + constants.signals[signal]
    process.stderr.write(`\n${signal}: stopping everything …\n`)
    setTimeout(() => process.exit(exitCode), longestEndMs).unref()
    stop.abort(new PlatformError(`stopped by ${signal}`))
  }
  for (const signal of signals) process.on(signal, onSignal)
  try {
    await work(stop.signal)
  } catch (error) {
    if (!stop.signal.aborted || error !== stop.signal.reason) {
      if (exitCode === 0) exitCode = 1
      process.stderr.write(`${describe(error)}\n`)
    }
  }
  process.exit(exitCode)
}

function describe(error: unknown): string {
  if (userErrors.some((kind) => error instanceof kind) && error instanceof Error) return `✗ ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
