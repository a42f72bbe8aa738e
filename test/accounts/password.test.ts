// scrypt in PHC format: what is stored, what is checked, and how many hashes may wait.
import { expect, test } from 'vitest'
import { hashPassword, verifyPassword } from '../../src/accounts/password.ts'
import { makeHash } from './hashes.ts'

const password = 'four columns hold it'

test('a hash contains its parameters and its own salt', async () => {
  const [one, other] = [await hashPassword(password), await hashPassword(password)]
  expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(one).not.toBe(other)
  expect(await verifyPassword(password, one)).toEqual({ isRight: true, isOutdated: false })
  expect(await verifyPassword(`${password}!`, one)).toEqual({ isRight: false, isOutdated: false })
})

test.each([
  ['a smaller N', { ln: 14, r: 8, p: 3 }, true],
  ['another p', { ln: 15, r: 8, p: 1 }, true],
  ['another r', { ln: 14, r: 16, p: 3 }, true],
  ["today's parameters", { ln: 15, r: 8, p: 3 }, false],
])('a hash with %s is checked with its own parameters', async (_what, parameters, isOutdated) => {
  const stored = makeHash(password, parameters)
  expect(await verifyPassword(password, stored)).toEqual({ isRight: true, isOutdated })
  expect((await verifyPassword('another password', stored)).isRight).toBe(false)
})

// Created with Python's hashlib.pbkdf2_hmac, which Django uses.
test.each([
  ['moulding', 'pbkdf2_sha256$260000$s$1g/rye8PRqqwsL/PHs3f2J5vMuP7FPe6mXGV9AWSHQI='],
  ['사출기 비밀번호', 'pbkdf2_sha256$1000$QkX2$+Sy6HVg/B5J/cN+h3HOkjfOlQW6ddYotAsoWR0eN1NA='],
])('a password of the old system is accepted, and its hash is outdated: %s', async (old, stored) => {
  expect(await verifyPassword(old, stored)).toEqual({ isRight: true, isOutdated: true })
  expect(await verifyPassword(`${old}.`, stored)).toEqual({ isRight: false, isOutdated: true })
})

test('composed and decomposed characters give the same password', async () => {
  const stored = await hashPassword('김민지의 비밀번호'.normalize('NFD'))
  expect((await verifyPassword('김민지의 비밀번호'.normalize('NFC'), stored)).isRight).toBe(true)
})

test.each([
  ['an empty text', ''],
  ['another algorithm', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA'],
  ['a hash of the old system with too many rounds', `pbkdf2_sha256$9999999$s$${'A'.repeat(43)}=`],
  ['a hash of the old system with zero rounds', `pbkdf2_sha256$0$s$${'A'.repeat(43)}=`],
  ['an unusable password of the old system', '!Xyz'],
  ['a hash of another length', '$scrypt$ln=15,r=8,p=3$MDEyMzQ1Njc4OWFiY2RlZg$aGFzaA'],
])('%s in place of a hash matches no password', async (_what, stored) => {
  expect((await verifyPassword('', stored)).isRight).toBe(false)
})

test('an unknown account takes as long as a wrong password', async () => {
  const stored = await hashPassword(password)
  const time = async (hash: string | undefined) => {
    const beganAt = performance.now()
    expect((await verifyPassword('wrong password', hash)).isRight).toBe(false)
    return performance.now() - beganAt
  }
  const known: number[] = []
  // A busy machine makes some times longer, and none shorter.
  for (let round = 0; round < 3; round += 1) known.push(await time(stored))
  const unknown = await time(undefined)
  // Both make a whole hash; without one the answer would be there in less than a tenth of the time.
  expect(unknown).toBeGreaterThan(Math.min(...known) / 4)
})

test('one hash runs, eight wait, and the next request is refused', async () => {
  const results = await Promise.allSettled(Array.from({ length: 12 }, () => hashPassword(password)))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(9)
  const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason)
  expect(refused).toHaveLength(3)
  for (const reason of refused)
    expect(reason).toMatchObject({ code: 'rate_limited', extensions: { retryAfterSeconds: 2 } })
  expect(await hashPassword(password)).toMatch(/^\$scrypt/)
})
