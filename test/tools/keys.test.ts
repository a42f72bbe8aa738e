// `npm run keys`: the value of JWT_KEYS, and the steps of a rotation.
import { v7 as uuidv7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import { signingKeys } from '../../src/env.ts'
import { makeKey, rotate } from '../../src/tools/key-rotation.ts'
import { makeSigningKey } from '../harness.ts'
import { runTool, startTool } from './programs.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const now = Date.now()
const oldKey = makeKey(now - 90 * 24 * hourMs)

describe('rotate', () => {
  test('goes through three steps and ends with the new key alone', () => {
    const first = rotate([oldKey], now).keys
    expect(first).toEqual([oldKey, expect.objectContaining({ kty: 'OKP', crv: 'Ed25519' })])
    const second = rotate(first, now + 15 * minuteMs).keys
    expect(second).toEqual(first.toReversed())
    const third = rotate(second, now + 24 * hourMs).keys
    expect(third).toEqual([first[1]])
    expect(rotate(third, now + 48 * hourMs).keys[0]).toEqual(first[1])
  })

  test('at each step every isolate verifies tokens signed at the step before or after', () => {
    const steps = [[oldKey]]
    for (const laterMs of [0, hourMs, 30 * hourMs]) steps.push(rotate(steps.at(-1) ?? [], now + laterMs).keys)
    steps.forEach((keys, index) => {
      for (const neighbour of [steps[index - 1], steps[index + 1]]) {
        if (neighbour && index < 3) expect(neighbour.map(({ kid }) => kid)).toContain(keys[0]?.kid)
      }
    })
  })

  test.each([
    ['the new key would sign before all isolates know it', (keys: (typeof oldKey)[]) => keys, 14 * minuteMs],
    [
      'the old key would be removed while its tokens are valid',
      (keys: (typeof oldKey)[]) => keys.toReversed(),
      23 * hourMs,
    ],
  ])('refuses a step by which %s', (_what, order, laterMs) => {
    const keys = order(rotate([oldKey], now).keys)
    expect(() => rotate(keys, now + laterMs)).toThrow(/Too soon.*Run this again at 20\d\d-/)
  })

  test('treats a key from another tool as the older one, and refuses two of them', () => {
    const foreign = signingKeys.parse(JSON.stringify([makeSigningKey('foreign')]))
    const keys = rotate(foreign, now).keys
    expect(keys[0]).toEqual(foreign[0])
    expect(rotate(keys, now + hourMs).keys).toEqual(keys.toReversed())
    const two = signingKeys.parse(JSON.stringify([makeSigningKey('one'), makeSigningKey('two')]))
    expect(() => rotate(two, now)).toThrow(/do not tell which is newer/)
  })
})

describe('the program', () => {
  test('prints only a JWT_KEYS that the Worker accepts on stdout', async () => {
    const { code, stdout, stderr } = await runTool('keys', [])
    expect(code).toBe(0)
    const keys = signingKeys.parse(stdout)
    expect(keys).toHaveLength(1)
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(stderr).not.toContain(keys[0]?.d)
    expect((await runTool('keys', [])).stdout).not.toBe(stdout)
  })

  test('reads the current keys from the environment, or else from stdin', async () => {
    const present = JSON.stringify([oldKey])
    const named = await runTool('keys', ['--rotate'], { env: { JWT_KEYS: present } })
    const piped = await startTool('keys', ['--rotate'], { input: `${present}\n` })
    for (const { code, stdout, stderr } of [named, piped]) {
      expect(code).toBe(0)
      expect(signingKeys.parse(stdout)[0]).toEqual(oldKey)
      expect(stderr).toContain('Step 1 of 3')
      expect(stderr).not.toContain(oldKey.d)
    }
    const next = await runTool('keys', ['--rotate'], { input: JSON.stringify([oldKey, makeKey(now - hourMs)]) })
    expect([next.code, JSON.parse(next.stdout)[1].kid]).toEqual([0, oldKey.kid])
    expect(next.stderr).toContain('Step 2 of 3')
  })

  test('exits with 1 and prints no keys when a step is too early', async () => {
    const { code, stdout, stderr } = await runTool('keys', ['--rotate'], {
      input: JSON.stringify([oldKey, makeKey(Date.now())]),
    })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^Too soon/)
  })

  test.each([
    ['nothing', ''],
    ['no JSON', 'very-secret-text'],
    ['no keys', '[]'],
    ['a key without its private half', JSON.stringify([{ ...oldKey, d: undefined }])],
    ['three keys', JSON.stringify([1, 2, 3].map(() => ({ ...oldKey, kid: uuidv7() })))],
    ['the same kid twice', JSON.stringify([oldKey, oldKey])],
  ])('exits with 2 and prints no secret for %s', async (_what, input) => {
    const { code, stdout, stderr } = await runTool('keys', ['--rotate'], { input })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/JWT_KEYS/)
    expect(stderr).not.toContain(oldKey.d)
    expect(stderr).not.toContain('very-secret-text')
  })

  test('--help lists the steps; an unknown option exits with 2', async () => {
    const help = await runTool('keys', ['--help'])
    expect([help.code, help.stderr]).toEqual([0, ''])
    expect(help.stdout).toContain('[new, old] → [new]')
    expect((await runTool('keys', ['--rotat'])).code).toBe(2)
  })
})
