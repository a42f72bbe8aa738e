// One structured JSON line per thing worth knowing. Never a token, a password, a key or a body.

/** The old system's four log files. */
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

/** Without the words of JSON.parse: they quote what could not be parsed, which can be a body with a password in it. */
function describeSyntaxError({ message, stack = '' }: SyntaxError): Record<string, unknown> {
  const [, frames = ''] = stack.split(`${message}\n`)
  return { message: 'not shown: it quotes what could not be parsed', stack: frames }
}
