// A machine that reports, for tests.
import { randomUUID } from 'node:crypto'
import { makeKey } from '../accounts/people.ts'
import type { Answer, Person, World } from '../harness.ts'

export type Reporter = {
  id: number
  bootId: string
  /** The key. */
  secret: string
  /** Reports with the next `seq`. @throws Error when the answer is not 200 */
  report(members?: Record<string, unknown>, query?: string): Promise<Answer['body']>
  /** Sends a report as it is. */
  send(body: unknown, query?: string): Promise<Answer>
  /** The members of the next report. */
  next(members?: Record<string, unknown>): Record<string, unknown>
}

export async function reporterOf(world: World, owner: Person, machineId: number): Promise<Reporter> {
  const key = await makeKey(world, owner, { scopes: ['report'], machine_id: machineId })
  const bootId = randomUUID()
  let seq = 0
  const send = (body: unknown, query = '') =>
    key.request('POST', `/api/machines/${machineId}/reports${query}`, { body })
  const next = (members: Record<string, unknown> = {}) => {
    seq += 1
    return { boot_id: bootId, seq, status: 'READY', ...members }
  }
  return {
    id: machineId,
    bootId,
    secret: key.secret,
    send,
    next,
    async report(members, query) {
      const answer = await send(next(members), query)
      if (answer.status !== 200) throw new Error(`the report was answered ${answer.status}: ${answer.text}`)
      return answer.body
    },
  }
}

/** A machine without an address, which reports. */
export async function aPullMachine(world: World, owner: Person): Promise<Reporter> {
  const { id } = await world.createMachine(owner, { controller_url: null })
  return reporterOf(world, owner, id)
}

/** Makes the last report as old as this. */
export const ageReport = (world: World, machineId: number, by: string) =>
  world.postgres.query('UPDATE machine_reports SET at = at - $2::interval WHERE machine_id = $1', [machineId, by])

export async function readMachine(person: Person, machineId: number): Promise<Answer['body']> {
  return (await person.request('GET', `/api/machines/${machineId}`)).body
}
