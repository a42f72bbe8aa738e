// A world with low limits for log-ins and sign-ups, and people with addresses of their own.
import { randomUUID } from 'node:crypto'
import type { Answer, Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { useQuickHash } from './hashes.ts'

export const wrong = 'a wrong password'
export const logInWindowSeconds = 300
export const signUpWindowSeconds = 600
/** How long a test may take between two counts of one window. */
export const clearSeconds = 10

let addresses = 0
/** Returns an address that nothing else in this process uses. */
export function anAddress(): string {
  addresses += 1
  return `198.51.${addresses >> 8}.${addresses & 255}`
}

export const from = (address: string) => ({ 'CF-Connecting-IP': address })

export type LimitedWorld = {
  world: World
  logIn(username: string, password: string, address: string): Promise<Answer>
  signUp(address: string, overrides?: Record<string, unknown>): Promise<Answer>
  /** A new person, whose password is cheap to check. */
  aPerson(): Promise<Person>
}

/** Failed log-ins: 2 by name and address, 3 by name, 4 by address; 3 sign-ups by address. */
export async function useLimitedWorld(): Promise<LimitedWorld> {
  const world = await useWorld({
    FAILED_LOG_INS_PER_NAME_AND_ADDRESS: '2',
    FAILED_LOG_INS_PER_NAME: '3',
    FAILED_LOG_INS_PER_ADDRESS: '4',
    SIGN_UPS_PER_ADDRESS: '3',
  })
  const password = 'four columns hold it'
  const signUp: LimitedWorld['signUp'] = (address, overrides = {}) => {
    const username = `l-${randomUUID()}`
    const body = { username, password, email: `${username}@example.com`, ...overrides }
    return world.request('POST', '/api/sign-up', { body, headers: from(address) })
  }
  return {
    world,
    signUp,
    logIn: (username, tried, address) =>
      world.request('POST', '/api/log-in', { body: { username, password: tried }, headers: from(address) }),
    async aPerson() {
      const person = await world.signUp()
      await useQuickHash(world, person)
      return person
    },
  }
}
