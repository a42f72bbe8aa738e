// Rules for text: what can be seen, and where a text may be cut.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutText, hasInvisible, isBlank } from '../../src/kernel/text.ts'

const invisible = ['\u200b', '\u200d', '\u2060', '\ufeff', '\u00ad', '\ufe0f', '\u3164', '\u115f', '\u1160', '\uffa0']

test.each(invisible)('%j shows nothing, alone and among spaces', (character) => {
  expect(hasInvisible(`사출기${character}`)).toBe(true)
  for (const text of [character, `${character} ${character}`, `\t${character}\n`]) expect(isBlank(text)).toBe(true)
  expect(isBlank(`${character}기`)).toBe(false)
})

test.each(['', ' ', '\u3000', '\u00a0', '\u0007', '\u2800', '\u2800\u3164 \u2800'])('%j is blank', (text) => {
  expect(isBlank(text)).toBe(true)
})

test.each(['a', '기', '🏭', '.', '사출기 1호', '\u0301'])('%j is not blank and has nothing invisible', (text) => {
  expect([isBlank(text), hasInvisible(text)]).toEqual([false, false])
})

describe('a text that is cut', () => {
  const parts = fc.array(fc.constantFrom('a', '🏭', '기', '\0', '\ud83c', '\udfed'), { maxLength: 40 })

  test('is a beginning of at most this many whole code points, and can be stored', () => {
    fc.assert(
      fc.property(parts, fc.nat(30), (characters, maxLength) => {
        const whole = characters.join('').replaceAll('\0', '').toWellFormed()
        const cut = cutText(characters.join(''), maxLength)
        expect(cut.isWellFormed()).toBe(true)
        expect(cut).toBe([...whole].slice(0, maxLength).join(''))
      }),
    )
  })
})
