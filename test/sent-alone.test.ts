// Statements that are part of frequent requests and do not begin with the caller: each is sent alone, because a transaction
// of several statements costs PostgreSQL more than the statement itself.
import { expect, test } from 'vitest'
import * as signIn from '../src/accounts/sql/sign-in.ts'
import type { Database } from '../src/infra/database.ts'
import { planOf } from './bench/plan.ts'

const id = '00000000-0000-7000-8000-000000000000'
const session = { sessionId: id, refreshId: id, userAgent: null, address: '127.0.0.1' }
const names = { username: 'kim', usernameKey: 'kim', email: 'kim@example.com', emailKey: 'kim@example.com' }
const account = { ...names, firstName: '', lastName: '' }

test.each<[what: string, call: (database: Database) => Promise<unknown>]>([
  ['whether a name is taken', (database) => signIn.findTakenField(database, account)],
  ['a new account', (database) => signIn.insertAccount(database, account, '-', session)],
  ['the password of an account', (database) => signIn.findCredentials(database, 'kim')],
])('%s is one statement', async (_, call) => {
  expect((await planOf(call)).isTransaction).toBe(false)
})
