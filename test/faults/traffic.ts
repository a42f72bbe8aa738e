// Mixed traffic: clients operate their machines and read the results. Each client sends its next request as soon as the
// last one is answered. Every request is counted and timed; every accepted job is recorded.
import type { Answer, Person, TestMachine, World } from '../harness.ts'
import { requestUntilAnswered } from './client.ts'

export type Tally = {
  latenciesMs: number[]
  /** Ids of jobs. */
  accepted: string[]
  /** Number of 5xx answers and missing answers, by error code. */
  errors: Map<string, number>
}

export type Client = { person: Person; machines: TestMachine[] }

const machinesEach = 4

export async function signUpClient(world: World, tally: Tally): Promise<Client> {
  const person = await world.signUp()
  const machines = await Promise.all(Array.from({ length: machinesEach }, () => world.createMachine(person)))
  return { person: { ...person, request: timed(person.request, tally) }, machines }
}

/** Sends requests until `signal` is aborted. */
export async function keepAsking({ person, machines }: Client, tally: Tally, signal: AbortSignal): Promise<void> {
  const own: string[] = []
  while (!signal.aborted) {
    const machine = pick(machines)
    const dice = Math.random()
    if (dice < 0.35) {
      const command = Math.random() < 0.5 ? 'START' : 'STOP'
      const id = await requestUntilAnswered(person, { machineId: machine.id, command })
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
