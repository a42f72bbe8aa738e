// Structured logs: one JSON line per event. Never log a token, a password, a key or a body.

/** `api`: requests · `job`: changes of jobs · `sweep`: results of the sweep · `error`. The old system had these four files. */
export type LogChannel = 'api' | 'job' | 'sweep' | 'error'

export function log(channel: LogChannel, fields: Record<string, unknown>): void {
  const line = JSON.stringify({ channel, ...fields })
  if (channel === 'error') console.error(line)
  else console.log(line)
}

/** An error as log fields: its name, message and stack, and those of its causes. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: String(error) }
  return {
    error: error.name,
    ...(error instanceof SyntaxError ? describeSyntaxError(error) : { message: error.message, stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  }
}

/** Omits the message of JSON.parse: it quotes the invalid input, which can be a body with a password. */
function describeSyntaxError({ message, stack = '' }: SyntaxError): Record<string, unknown> {
  const [, frames = ''] = stack.split(`${message}\n`)
  return { message: 'omitted: it quotes the invalid input', stack: frames }
}
