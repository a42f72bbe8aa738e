// Failed log-ins of a name at an address where it has logged in are counted by themselves: nobody else can lock it out.
import { randomUUID } from 'node:crypto'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { foldName } from '../../src/accounts/account.ts'
import { knownAddressKey } from '../../src/accounts/limits.ts'
import { poll, type World } from '../harness.ts'
import { anAddress, clearSeconds, type LimitedWorld, logInWindowSeconds, useLimitedWorld, wrong } from './limited.ts'
import { stayClearOfTurn } from './people.ts'

let world: World
let logIn: LimitedWorld['logIn']
let aPerson: LimitedWorld['aPerson']
let signUp: LimitedWorld['signUp']
beforeAll(async () => {
  ;({ world, logIn, aPerson, signUp } = await useLimitedWorld())
})
beforeEach(() => stayClearOfTurn(logInWindowSeconds, clearSeconds))

/** The Worker remembers an address after its answer. */
function untilKnown(username: string, address: string): Promise<unknown> {
  return poll(async () => {
    const value = await isKnown(username, address)
    return { isDone: value, value }
  }, 'the address to be known')
}

const keyOf = (username: string, address: string) => knownAddressKey(foldName(username), address)
const isKnown = async (username: string, address: string) =>
  (await world.redis.command('GET', keyOf(username, address))) !== null

/** A person who has logged in at this address. */
async function aKnownPerson() {
  const { username, password } = await aPerson()
  const home = anAddress()
  expect((await logIn(username, password, home)).status).toBe(200)
  await untilKnown(username, home)
  return { username, password, home }
}

/** Wrong guesses at unused addresses, until the limit by name refuses. */
async function exceedName(username: string): Promise<void> {
  for (const status of [401, 401, 401, 429]) expect((await logIn(username, wrong, anAddress())).status).toBe(status)
}

/** Wrong guesses for unused names, until the limit by address refuses. */
async function exceedAddress(address: string): Promise<void> {
  for (const status of [401, 401, 401, 401, 429]) {
    expect((await logIn(`nobody-${randomUUID()}`, wrong, address)).status).toBe(status)
  }
}

test('guesses at other addresses do not lock a person out at her usual address, and still do elsewhere', async () => {
  const { username, password, home } = await aKnownPerson()
  await exceedName(username)
  expect((await logIn(username, password, home)).status).toBe(200)
  expect((await logIn(username, password, anAddress())).status).toBe(429)
})

test('guesses for other names at her address do not lock her out', async () => {
  const { username, password, home } = await aKnownPerson()
  await exceedAddress(home)
  expect((await logIn(username, password, home)).status).toBe(200)
})

test('a sign-up makes the address known, too', async () => {
  const home = anAddress()
  const { body } = await signUp(home)
  await untilKnown(body.user.username, home)
  await exceedName(body.user.username)
  expect((await logIn(body.user.username, 'four columns hold it', home)).status).toBe(200)
})

test('a failed log-in makes no address known', async () => {
  const { username } = await aPerson()
  const address = anAddress()
  expect((await logIn(username, wrong, address)).status).toBe(401)
  await world.settle()
  expect(await isKnown(username, address)).toBe(false)
})

test('failures at a known address are limited by themselves, and count neither for the name nor for the address', async () => {
  const { username, password, home } = await aKnownPerson()
  for (const status of [401, 401, 429]) expect((await logIn(username, wrong, home)).status).toBe(status)
  await world.settle()
  await exceedName(username)
  await exceedAddress(home)
  expect((await logIn(username, password, home)).status).toBe(429)
})

test('an address is known for 30 days, and Redis gets only a hash of both', async () => {
  const { username, home } = await aKnownPerson()
  const key = keyOf(username, home)
  expect(key).not.toContain(username)
  expect(key).not.toContain(home)
  const seconds = Number(await world.redis.command('TTL', key))
  expect(seconds).toBeGreaterThan(30 * 86_400 - 60)
  expect(seconds).toBeLessThanOrEqual(30 * 86_400)
})
