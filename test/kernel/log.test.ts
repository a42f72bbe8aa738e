// Which parts of an error are logged.
import { expect, test } from 'vitest'
import { describeError } from '../../src/kernel/log.ts'

test('an error and its causes are logged with name, message and stack', () => {
  const cause = new RangeError('too far')
  const error = new TypeError('not here', { cause })
  expect(describeError(error)).toEqual({
    error: 'TypeError',
    message: 'not here',
    stack: error.stack,
    cause: { error: 'RangeError', message: 'too far', stack: cause.stack },
  })
  expect(describeError('thrown as a text')).toEqual({ error: 'thrown as a text' })
})

test('a text that could not be parsed is not logged, at any depth, but the stack is', () => {
  for (const text of ['{"password":hunter-two}', 'hunter-two', '{"a":1}hunter\n    at two']) {
    const told = describeError(new TypeError('outside', { cause: failToParse(text) }))
    expect(JSON.stringify(told)).not.toMatch(/hunter|two/)
    expect(told.cause).toMatchObject({ error: 'SyntaxError', stack: expect.stringMatching(/^ +at .*JSON\.parse/) })
  }
})

function failToParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}
