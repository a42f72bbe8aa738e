// Names of ours in the text of a statement.
import { expect, test } from 'vitest'
import { quoteName, quoteNames } from '../../src/kernel/sql-text.ts'

test('names become literals', () => {
  expect(quoteName('READY')).toBe("'READY'")
  expect(quoteNames(['READY', 'POWEROFF'])).toBe("'READY', 'POWEROFF'")
})

test.each(["a'b", 'a b', 'a\\b', ''])('%j needs quoting and is refused', (name) => {
  expect(() => quoteNames([name])).toThrow(TypeError)
})
