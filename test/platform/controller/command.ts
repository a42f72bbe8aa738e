// The commands of the controller stand-in: their schema, and the log of each machine.
import { z } from 'zod'
import type { StandInAnswer, StandInRequest } from '../http.ts'

const confirmSchema = z.object({
  command: z.literal('CONFIRM'),
  machine_id: z.int(),
  owner: z.string(),
  challenge: z.string().min(1),
})

export type ConfirmRequest = z.output<typeof confirmSchema>

const commandSchema = z.object({
  command: z.enum(['START', 'STOP']),
  sequence: z.int().min(1),
  job_id: z.string().min(1),
  machine_id: z.int(),
  attempt: z.int().min(1),
  not_after: z.string().min(1),
  outcome_url: z.url(),
  outcome_token: z.string().min(1),
})

/** A command as received, and its result. Times are RFC 3339. */
export type ReceivedCommand = z.output<typeof commandSchema> & {
  idempotency_key: string
  /** The raw header. */
  authorization: string
  /** The raw body, as text. */
  body: string
  received_at: string
  /** The machine executed it. A repeated idempotency key executes nothing. */
  done: boolean
  /** The reports to the outcome URL; status 0 is no answer. */
  reports: { at: string; result: 'SUCCESS' | 'REMOTEFAILED'; status: number }[]
}

export type CommandReading = { confirm: ConfirmRequest } | { received: ReceivedCommand } | { refusal: StandInAnswer }

function refuse(status: number, error: string): CommandReading {
  return { refusal: { status, body: { error } } }
}

/** Reads a command or a CONFIRM. An invalid one is refused and does not reach the machine. */
export function readCommand(request: StandInRequest): CommandReading {
  const { authorization, 'idempotency-key': key } = request.headers
  if (authorization === undefined || !/^Bearer \S+$/i.test(authorization))
    return refuse(401, 'a bearer token is needed')
  const body = request.body.toString('utf8')
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return refuse(400, 'the body is not JSON')
  }
  const confirm = confirmSchema.safeParse(json)
  if (confirm.success) return { confirm: confirm.data }
  if (typeof key !== 'string' || key === '') return refuse(400, 'an Idempotency-Key is needed')
  const parsed = commandSchema.safeParse(json)
  if (!parsed.success) return refuse(400, `the command cannot be read: ${z.prettifyError(parsed.error)}`)
  const received_at = new Date().toISOString()
  return {
    received: { ...parsed.data, idempotency_key: key, authorization, body, received_at, done: false, reports: [] },
  }
}

const keptCommands = 1_000

/** The newest thousand commands of one machine, oldest first. */
export class CommandLog {
  readonly #commands: ReceivedCommand[] = []
  readonly #listeners = new Set<() => void>()

  add(received: ReceivedCommand): void {
    this.#commands.push(received)
    if (this.#commands.length > keptCommands) this.#commands.shift()
    this.changed()
  }

  /** To be called after a change of a command in the log. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  list(): ReceivedCommand[] {
    return structuredClone(this.#commands)
  }

  /**
   * The first command that fits, as soon as there is one.
   * @throws Error if there is none within `deadlineMs`
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
