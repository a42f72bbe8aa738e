// Mixed traffic: people who operate their machines and look at what becomes of it, each asking again as soon as it is
// answered. Every request is counted and timed; every job that was accepted is remembered.
import type { Answer, MachineInPlay, Person, World } from '../harness.ts'
import { insist } from './client.ts'

export type Tally = {
  latenciesMs: number[]
  /** Ids of jobs. */
  accepted: string[]
  /** What was answered 5xx or not at all, by its code. */
  errors: Map<string, number>
}

export type Client = { person: Person; machines: MachineInPlay[] }

const machinesEach = 4

export async function signUpClient(world: World, tally: Tally): Promise<Client> {
  const person = await world.signUp()
  const machines = await Promise.all(Array.from({ length: machinesEach }, () => world.createMachine(person)))
  return { person: { ...person, request: timed(person.request, tally) }, machines }
}

/** Asks until `signal` is aborted. */
export async function keepAsking({ person, machines }: Client, tally: Tally, signal: AbortSignal): Promise<void> {
  const own: string[] = []
  while (!signal.aborted) {
    const machine = pick(machines)
    const dice = Math.random()
    if (dice < 0.35) {
      const command = Math.random() < 0.5 ? 'START' : 'STOP'
      const id = await insist(person, { machineId: machine.id, command })
      if (id !== undefined) {
        tally.accepted.push(id)
        own.push(id)
      }
    } else {
      const path = dice < 0.7 && own.length > 0 ? `/api/jobs/${own.at(-1)}` : pick(readings)(machine.id)
      await person.request('GET', path).catch(() => {}) // counted
    }
  }
}

const readings: ((machineId: number) => string)[] = [
  () => '/api/machines?limit=20',
  (machineId) => `/api/machines/${machineId}`,
  (machineId) => `/api/machines/${machineId}/history?limit=20`,
  () => '/api/me',
]

function timed(request: Person['request'], tally: Tally): Person['request'] {
  return async (...args) => {
    const startedAt = performance.now()
    let answer: Answer | undefined
    try {
      answer = await request(...args)
      return answer
    } finally {
      tally.latenciesMs.push(performance.now() - startedAt)
      const error = answer === undefined ? 'no answer' : answer.status >= 500 ? String(answer.body.code) : undefined
      if (error !== undefined) tally.errors.set(error, (tally.errors.get(error) ?? 0) + 1)
    }
  }
}

function pick<Value>(values: readonly Value[]): Value {
  const value = values[Math.floor(Math.random() * values.length)]
  if (value === undefined) throw new TypeError('nothing to pick from')
  return value
}
