// A machine controller: it simulates injection moulding machines that accept commands at POST /machines/{name}. PUT
// /machines/{name} sets the behaviour of each one.
import { z } from 'zod'
import { type BehaviourOrder, behaviourOrderSchema } from './controller/behaviour.ts'
import { type ReceivedCommand, readCommand } from './controller/command.ts'
import { Machine, type MachineState } from './controller/machine.ts'
import { type CommandVerifier, commandVerifiers } from './controller/signature.ts'
import {
  notImplemented,
  type StandInAnswer,
  type StandInOptions,
  type StandInRequest,
  startHttpServer,
} from './http.ts'

export type ControllerStandInOptions = StandInOptions & {
  /** The origin of Tiebar, whose signatures are verified. Without it, every bearer token is accepted. */
  tiebarUrl?: string
}

export type MachineHandle = {
  /** The address for its commands. */
  url: string
  /** Sets the id of this machine in Tiebar. Without this, it is the first one that Tiebar names. */
  pin(machineId: number): void
  /** @throws z.ZodError for an invalid order */
  behave(order: BehaviourOrder): void
  state(): MachineState
  /** The newest thousand commands, oldest first. */
  commands(): ReceivedCommand[]
  /**
   * The first command that fits (any), also one that came before; looked at again whenever a command changes.
   * @throws Error when none has come within `deadlineMs` (two minutes).
   */
  waitForCommand(fits?: (command: ReceivedCommand) => boolean, deadlineMs?: number): Promise<ReceivedCommand>
}

export type ControllerStandIn = { url: string; machine(name: string): MachineHandle; close(): Promise<void> }

const maxNameLength = 128

/** The machine's name in `/machines/{name}`, null for `/machines`, undefined for any other path. */
function readName(target: string): string | null | undefined {
  const path = target.split('?', 1)[0] ?? ''
  if (path === '/machines') return null
  const segment = /^\/machines\/([^/]+)$/.exec(path)?.[1]
  if (segment === undefined) return undefined
  try {
    const name = decodeURIComponent(segment)
    return name.length <= maxNameLength ? name : undefined
  } catch {
    return undefined
  }
}

function orderBehaviour(machine: Machine, body: Buffer): StandInAnswer {
  let json: unknown
  try {
    json = JSON.parse(body.toString('utf8'))
  } catch {
    return { status: 400, body: { error: 'the body is not JSON' } }
  }
  const order = behaviourOrderSchema.safeParse(json)
  if (!order.success) return { status: 422, body: { error: z.prettifyError(order.error) } }
  machine.behave(order.data)
  return { body: machine.state() }
}

async function answerFor(machine: Machine, request: StandInRequest, verify: CommandVerifier): Promise<StandInAnswer> {
  if (request.method === 'GET' || request.method === 'HEAD') {
    return { body: { ...machine.state(), commands: machine.log.list() } }
  }
  if (request.method === 'PUT') return orderBehaviour(machine, request.body)
  if (request.method !== 'POST') return notImplemented('controller', `${request.method} /machines/{name}`)
  const reading = readCommand(request)
  if ('refusal' in reading) return reading.refusal
  const isSigned = await verify(request).catch((error: unknown) => String(error))
  if (typeof isSigned === 'string') return { status: 503, body: { error: `the keys cannot be loaded: ${isSigned}` } }
  if (!isSigned) return { status: 401, body: { error: 'not signed by Tiebar for this machine' } }
  return 'confirm' in reading
    ? machine.confirm(reading.confirm)
    : await machine.receive(reading.received, request.signal)
}

/** A machine is created when its name is first used, and obeys every command by default. */
export async function startController(options: ControllerStandInOptions = {}): Promise<ControllerStandIn> {
  const machines = new Map<string, Machine>()
  const closing = new AbortController()
  const verifierFor = commandVerifiers(options.tiebarUrl)
  const server = await startHttpServer('controller', handle, options)
  const urlOf = (name: string) => `${server.url}/machines/${encodeURIComponent(name)}`

  function machineNamed(name: string): Machine {
    const machine = machines.get(name) ?? new Machine(name, urlOf(name), closing.signal)
    machines.set(name, machine)
    return machine
  }

  async function handle(request: StandInRequest): Promise<StandInAnswer> {
    const name = readName(request.target)
    if (name === null && request.method === 'GET') {
      return { body: { machines: [...machines.values()].map((machine) => machine.state()) } }
    }
    if (name === undefined || name === null) {
      return notImplemented('controller', `${request.method} ${request.target}`)
    }
    return await answerFor(machineNamed(name), request, verifierFor(urlOf(name)))
  }

  return {
    url: server.url,
    machine(name) {
      const machine = machineNamed(name)
      return {
        url: urlOf(name),
        pin: (machineId) => machine.pin(machineId),
        behave: (order) => machine.behave(order),
        state: () => machine.state(),
        commands: () => machine.log.list(),
        waitForCommand: (fits = () => true, deadlineMs = 120_000) => machine.log.waitFor(fits, deadlineMs),
      }
    },
    async close() {
      closing.abort()
      await server.close()
      await Promise.all([...machines.values()].map((machine) => machine.settle()))
    },
  }
}
