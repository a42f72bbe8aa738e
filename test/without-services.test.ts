// Which test files `npm run test:services` leaves out.
import { expect, test } from 'vitest'
import { findTestsWithoutServices } from './without-services.ts'

test('pure files and programs with an environment of their own are left out, and nothing that can use a server', () => {
  const found = findTestsWithoutServices()
  const leftOut = ['test/kernel/text.test.ts', 'test/platform/local.test.ts', 'test/platform/main.test.ts']
  expect(found).toEqual(expect.arrayContaining(leftOut))
  const kept = [
    'test/extension.test.ts', // through migrated.ts
    'test/jobs/holds.test.ts', // through the world
    'test/platform/platform.test.ts',
    'test/tools/migrations.test.ts',
    'test/platform/postgres/server.test.ts',
  ]
  expect(found.filter((file) => kept.includes(file))).toEqual([])
})
