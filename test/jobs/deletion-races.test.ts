// The deletion of an account while others decide about it: on a real PostgreSQL, because PGlite has one connection.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeKey } from '../accounts/people.ts'
import {
  type Answer,
  hasRealPostgres,
  type Person,
  poll,
  startWorld,
  type TestMachine,
  type World,
} from '../harness.ts'
import { resetSettings } from '../platform/odd-settings.ts'
import { createSite, grant, type Site } from '../sites/places.ts'

/** What the person has on the machine and the site, so that only the deletion can be the reason of a refusal. */
type Scene = { person: Person; staff: Person; owner: Person; site: Site; machine: TestMachine; resetToken: string }
type Case = [what: string, status: number, act: (scene: Scene) => Promise<Answer>]

const password = 'eleven barrels of steel'
const cases: Case[] = [
  ['a role on a site', 404, ({ owner, site, person }) => grant(owner, site.path, person, 'viewer')],
  [
    'a role on a machine',
    404,
    ({ owner, machine, person }) => grant(owner, `/api/machines/${machine.id}`, person, 'manager'),
  ],
  [
    'a hold',
    401,
    ({ person, machine }) =>
      person.request('POST', `/api/machines/${machine.id}/holds`, { body: { reason: 'at the machine' } }),
  ],
  ['a name', 401, ({ person }) => person.request('PATCH', '/api/me', { body: { first_name: 'Nari' } })],
  [
    'a token for a new password',
    404,
    ({ staff, person }) => staff.request('POST', `/api/accounts/${person.id}/password-reset`),
  ],
  [
    'a use of such a token',
    422,
    ({ person: { request }, resetToken }) =>
      request('POST', '/api/password-reset', { body: { reset_token: resetToken, new_password: password } }),
  ],
  [
    'a new password',
    401,
    ({ person }) =>
      person.request('POST', '/api/me/password', {
        body: { current_password: person.password, new_password: password },
      }),
  ],
  [
    'a log-in',
    401,
    ({ person: { request, username, password } }) => request('POST', '/api/log-in', { body: { username, password } }),
  ],
  [
    'a refresh',
    401,
    ({ person: { request, refresh } }) => request('POST', '/api/token/refresh', { body: { refresh } }),
  ],
  ['a key', 401, ({ person }) => person.request('POST', '/api/keys', { body: { name: 'x', scopes: ['read'] } })],
  ['a site', 401, ({ person }) => person.request('POST', '/api/sites', { body: { name: 'x' } })],
  [
    'staff rights',
    404,
    ({ staff, person }) =>
      staff.request('PATCH', `/api/accounts/${person.id}`, {
        body: { is_staff: true, current_password: staff.password },
      }),
  ],
]

describe.skipIf(!hasRealPostgres)('an account that is being deleted gets', () => {
  let world: World
  let owner: Person
  let staff: Person
  beforeAll(async () => {
    // A world of its own: a single statement has the isolation level of the database, which is the usual one here.
    world = await startWorld()
    await resetSettings(world.postgres)
    owner = await world.signUp()
    staff = await world.signUpStaff()
  })
  afterAll(() => world?.close())

  /** Until so many statements wait for a lock, the deletion among them, or `isOver`. */
  const untilTheyWait = (count: number, isOver = () => false) =>
    poll(async () => {
      const waiting = await world.postgres.query(
        `SELECT query LIKE '/* anonymize-account */%' AS is_deletion FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      )
      const isDone = waiting.length >= count && waiting.some(({ is_deletion }) => is_deletion === true)
      return { isDone: isDone || isOver(), value: waiting.length }
    }, 'the deletion to wait')

  /** Locks the row of a key until it is released: the deletion must revoke the key. */
  function lockKey(id: string) {
    const lock = world.postgres
      .query('SELECT /* lock of the test */ pg_sleep(100) FROM (SELECT id FROM keys WHERE id = $1 FOR UPDATE) l', [id])
      .catch(() => {}) // it is cancelled
    return async () => {
      await world.postgres.query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%/* lock of the test */%'`,
      )
      await lock
    }
  }

  test.each(cases)('not %s', async (_what, status, act) => {
    const person = await world.signUp()
    const machine = await world.createMachine(owner)
    const site = await createSite(owner)
    const lines = await createSite(owner)
    await grant(owner, lines.path, person, 'operator')
    await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { site_id: lines.id } })
    const { body } = await staff.request('POST', `/api/accounts/${person.id}/password-reset`)
    const key = await makeKey(world, person)
    const release = lockKey(key.id)
    const deleting = person.request('DELETE', '/api/me', { body: { current_password: person.password } })
    await untilTheyWait(1)
    let hasActed = false
    const acting = act({ person, staff, owner, site, machine, resetToken: body.reset_token }).finally(() => {
      hasActed = true
    })
    await untilTheyWait(2, () => hasActed)
    await release()
    const [deleted, answer] = await Promise.all([deleting, acting])
    expect([deleted.status, answer.status]).toEqual([204, status])
    const [left] = await world.postgres.query(
      `SELECT a.first_name, a.is_staff, a.is_active, a.password_hash,
        (SELECT count(*)::int FROM members WHERE account_id = a.id) AS roles,
        (SELECT count(*)::int FROM sites WHERE created_by = a.id) AS sites,
        (SELECT count(*)::int FROM holds WHERE placed_by = a.id) AS holds,
        (SELECT count(*)::int FROM sessions WHERE account_id = a.id) AS sessions,
        (SELECT count(*)::int FROM password_resets WHERE account_id = a.id) AS resets,
        (SELECT count(*)::int FROM keys WHERE account_id = a.id AND revoked_at IS NULL) AS keys
      FROM accounts a WHERE id = $1`,
      [person.id],
    )
    expect(left).toEqual({
      first_name: '',
      is_staff: false,
      is_active: false,
      password_hash: '!',
      roles: 0,
      sites: 0,
      holds: 0,
      sessions: 0,
      resets: 0,
      keys: 0,
    })
  })
})
