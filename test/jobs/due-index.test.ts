// The index of due jobs is for the sweep alone. It is small, so PostgreSQL expects it to be cheap; but it cannot find the job
// of a machine.
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toTexts } from '../../src/infra/database.ts'
import { readMigrationSql } from '../../src/tools/migrations.ts'
import { storedCalls } from '../../src/tools/stored/catalog.ts'
import { recordCall } from '../../src/tools/stored/record.ts'

let database: PGlite
beforeAll(async () => {
  database = await PGlite.create()
  for (const statement of readMigrationSql()) await database.exec(statement)
  await database.exec('SET enable_seqscan = off') // the tables are empty: PostgreSQL would read them without any index
})
afterAll(() => database?.close())

test('while no jobs are open, no statement but that of the sweep uses it', async () => {
  const users = new Set<string>()
  for (const call of storedCalls) {
    const { name, queries } = await recordCall(call)
    for (const { query } of toTexts(queries)) {
      const results = await database.exec(`EXPLAIN (GENERIC_PLAN) ${query}`)
      if (JSON.stringify(results).includes(' jobs_due')) users.add(name)
    }
  }
  expect([...users]).toEqual(['redispatch-due-jobs'])
})
