// A command as the controller stand-in receives it: the shape it must have, and the log that a machine keeps of them.
import { z } from 'zod'
import type { StandInAnswer, StandInRequest } from '../http.ts'

const commandSchema = z.object({
  command: z.enum(['START', 'STOP']),
  job_id: z.string().min(1),
  machine_id: z.union([z.int(), z.string()]),
  attempt: z.int().min(1),
  not_after: z.string().min(1),
  outcome_url: z.url(),
  outcome_token: z.string().min(1),
})

/** A command as it came, and what became of it. Times are RFC 3339. */
export type ReceivedCommand = z.output<typeof commandSchema> & {
  idempotency_key: string
  /** The raw header. */
  authorization: string
  /** The raw body, as text. */
  body: string
  received_at: string
  /** The machine carried it out. A repeat of an idempotency key carries nothing out. */
  done: boolean
  /** What the machine told the outcome URL; status 0 is no answer. */
  reports: { at: string; result: 'SUCCESS' | 'REMOTEFAILED'; status: number }[]
}

export type CommandReading = { received: ReceivedCommand } | { refusal: StandInAnswer }

function refuse(status: number, error: string): CommandReading {
  return { refusal: { status, body: { error } } }
}

/** Reads a command off the wire, or says what is wrong with it: such a request never reaches the machine. */
export function readCommand(request: StandInRequest): CommandReading {
  const { authorization, 'idempotency-key': key } = request.headers
  if (authorization === undefined || !/^Bearer \S+$/i.test(authorization))
    return refuse(401, 'a bearer token is needed')
  if (typeof key !== 'string' || key === '') return refuse(400, 'an Idempotency-Key is needed')
  const body = request.body.toString('utf8')
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return refuse(400, 'the body is not JSON')
  }
  const parsed = commandSchema.safeParse(json)
  if (!parsed.success) return refuse(400, `the command cannot be read: ${z.prettifyError(parsed.error)}`)
  const received_at = new Date().toISOString()
  return {
    received: { ...parsed.data, idempotency_key: key, authorization, body, received_at, done: false, reports: [] },
  }
}

const keptCommands = 1_000

/** The newest thousand commands of one machine, oldest first, for those who wait for one. */
export class CommandLog {
  readonly #commands: ReceivedCommand[] = []
  readonly #listeners = new Set<() => void>()

  add(received: ReceivedCommand): void {
    this.#commands.push(received)
    if (this.#commands.length > keptCommands) this.#commands.shift()
    this.changed()
  }

  /** To be called after a command in the log was altered. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  list(): ReceivedCommand[] {
    return structuredClone(this.#commands)
  }

  /**
   * The first command that fits, as soon as there is one.
   * @throws Error when none has come within `deadlineMs`.
   */
  waitFor(fits: (command: ReceivedCommand) => boolean, deadlineMs: number): Promise<ReceivedCommand> {
    const { promise, resolve, reject } = Promise.withResolvers<ReceivedCommand>()
    const look = () => {
      const found = this.#commands.find(fits)
      if (found !== undefined) resolve(structuredClone(found))
    }
    const timer = setTimeout(() => {
      const had = this.#commands.map(({ command, job_id, attempt }) => `${command} ${job_id} #${attempt}`)
      reject(new Error(`no such command within ${deadlineMs} ms; it had: ${had.join(', ') || 'none'}`))
    }, deadlineMs)
    this.#listeners.add(look)
    look()
    return promise.finally(() => {
      clearTimeout(timer)
      this.#listeners.delete(look)
    })
  }
}
