// The export of what is stored of an account, and its deletion.
import { beforeAll, describe, expect, test } from 'vitest'
import { foldName } from '../../src/accounts/account.ts'
import { makeKey, readUser, type SignedIn, signIn } from '../accounts/people.ts'
import { hasRealPostgres, type Person, type World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createSite, grant } from '../sites/places.ts'
import { deliver, readRow, request } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

const remove = ({ request, password }: Pick<Person, 'request' | 'password'>, current_password = password) =>
  request('DELETE', '/api/me', { body: { current_password } })

/**
 * A person with a row in every table that can have one, and the texts that only she has. `machine_statuses` has no person:
 * of a status by hand it says `person`, and the audit event says who.
 */
async function aWholePerson() {
  const mark = crypto.randomUUID().slice(0, 13)
  const person = await world.signUpOverHttp({
    username: `Nari.${mark}`,
    email: `nari.${mark}@example.com`,
    first_name: `나리${mark}`,
    last_name: `류${mark}`,
  })
  const browser = await signIn(world, person, { 'User-Agent': `Browser of ${mark}` })
  const key = await makeKey(world, person, { name: `Laptop of ${mark}`, scopes: ['read', 'start'] })
  const machine = await world.createMachine(owner)
  const site = await createSite(owner)
  await grant(owner, site.path, person, 'viewer')
  await grant(owner, `/api/machines/${machine.id}`, person, 'operator')
  const options = { body: { command: 'START' }, headers: { 'Idempotency-Key': `key-of-${mark}` } }
  const { body: job } = await person.request('POST', `/api/machines/${machine.id}/operation`, options)
  const staff = await world.signUpStaff()
  await staff.request('POST', `/api/accounts/${person.id}/password-reset`)
  const texts = [mark, person.username, foldName(person.username), person.email]
  return { person, browser, key, machine, site, job, texts }
}

/** Every column of every table that has one of these texts, in any case. */
async function findTexts(texts: string[]): Promise<string[]> {
  const columns = await world.postgres.query(
    `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`,
  )
  const found: string[] = []
  for (const { table_name, column_name } of columns) {
    const rows = await world.postgres.query(
      `SELECT 1 FROM "${table_name}" t, unnest($1::text[]) AS text WHERE position(lower(text) IN lower(t."${column_name}"::text)) > 0 LIMIT 1`,
      [texts],
    )
    if (rows.length > 0) found.push(`${table_name}.${column_name}`)
  }
  const keys = (await world.redis.command('KEYS', '*')) as string[] // an array of keys
  for (const key of keys) {
    const value = String(await world.redis.command('GET', key).catch(() => ''))
    if (texts.some((text) => `${key} ${value}`.toLowerCase().includes(text.toLowerCase()))) found.push(`Redis: ${key}`)
  }
  return found
}

describe('GET /api/me/export', () => {
  test('has everything that is stored of the account, and no secret', async () => {
    const { person, browser, key, machine, site, job } = await aWholePerson()
    const own = await createSite(person, 'Her site')
    const press = await world.createMachine(person)
    const answer = await browser.request('GET', '/api/me/export')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Disposition')).toBe('attachment; filename="tiebar-export.json"')
    const { body } = answer
    expect(body.account).toEqual(await readUser(browser))
    expect(body.sessions.map(({ id }: { id: string }) => id)).toContain(browser.sessionId)
    expect(body.sessions.at(-1)).toMatchObject({ user_agent: expect.stringContaining('Browser of'), ended_at: null })
    expect(body.keys).toEqual([key.body])
    expect(body.roles).toEqual([
      { site_id: site.id, machine_id: null, role: 'viewer', expires_at: null },
      { site_id: null, machine_id: machine.id, role: 'operator', expires_at: null },
      { site_id: own.id, machine_id: null, role: 'manager', expires_at: null },
    ])
    expect(body.sites).toEqual([expect.objectContaining({ id: own.id, name: 'Her site', deleted_at: null })])
    expect(body.machines).toEqual([expect.objectContaining({ id: press.id, controller_url: press.url })])
    expect(body.jobs).toEqual([job])
    expect(body.changes.map(({ action }: { action: string }) => action)).toEqual([
      'machine.add',
      'site.add',
      'account.reset_issue',
      'key.add',
    ])
    for (const secret of [person.password, key.secret, person.access]) expect(answer.text).not.toContain(secret)
    expect(answer.text).not.toMatch(/scrypt|_hash|refresh_id/)
  })

  test('has the reason with which the account overrode a hold, and what was done to the account', async () => {
    const [manager, staff] = [await world.signUp(), await world.signUpStaff()]
    const machine = await world.createMachine(manager)
    await grant(manager, `/api/machines/${machine.id}`, owner, 'operator')
    const path = `/api/machines/${machine.id}/holds`
    const { body: hold } = await owner.request('POST', path, { body: { reason: 'at the machine' } })
    const override = { reason: 'I looked behind it', absence_verified: true, contact_tried: true }
    await manager.request('POST', `${path}/${hold.id}/override`, { body: override })
    await staff.request('POST', `/api/accounts/${manager.id}/password-reset`)
    const { body } = await manager.request('GET', '/api/me/export')
    expect(body.holds).toMatchObject([{ id: hold.id, override: { by: manager.id, reason: override.reason } }])
    expect(body.changes.map(({ action, actor }: Record<string, unknown>) => [action, actor])).toEqual([
      ['account.reset_issue', staff.id],
      ['hold.override', manager.id],
      ['member.add', manager.id],
      ['machine.add', manager.id],
    ])
  })

  test('says which machine was deleted, and which hold was removed', async () => {
    const person = await world.signUp()
    const [machine, deleted] = [await world.createMachine(person), await world.createMachine(person)]
    const path = `/api/machines/${machine.id}/holds`
    const hold = () => person.request('POST', path, { body: { reason: 'at the machine' } })
    const { body: removed } = await hold()
    await person.request('DELETE', `${path}/${removed.id}`)
    const { body: present } = await hold()
    await person.request('DELETE', `/api/machines/${deleted.id}`)
    const { body } = await person.request('GET', '/api/me/export')
    const aTime = expect.stringMatching(/Z$/)
    expect(body.machines).toMatchObject([
      { id: machine.id, deleted_at: null },
      { id: deleted.id, deleted_at: aTime },
    ])
    expect(body.holds).toEqual([
      { ...removed, removed_at: aTime },
      { ...present, removed_at: null },
    ])
  })

  test('has nothing of others', async () => {
    const stranger = await world.signUp()
    const { body } = await stranger.request('GET', '/api/me/export')
    expect([body.keys, body.roles, body.sites, body.machines, body.jobs, body.changes]).toEqual([
      [],
      [],
      [],
      [],
      [],
      [],
    ])
    expect(body.account.id).toBe(stranger.id)
  })

  test('has at most 1,000 jobs, the newest', async () => {
    const person = await world.signUp()
    const machine = await world.createMachine(owner)
    await world.postgres.query(
      `INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, requested_by, requested_at, not_after, finished_at)
        SELECT gen_random_uuid(), $1, $2, 'START', 'EXPIRED', $3, now() - make_interval(secs => n), now(), now()
        FROM generate_series(1, 1010) n`,
      [machine.id, owner.id, person.id],
    )
    const { body } = await person.request('GET', '/api/me/export')
    const history = await person.request('GET', '/api/machines/history?requested_by=me&limit=100')
    expect(body.jobs.length).toBe(1_000)
    expect(body.jobs.slice(0, 100)).toEqual(history.body.items)
  })
})

describe('DELETE /api/me', () => {
  test('leaves nothing of what the export had but ids: no table, and no key of Redis, has it', async () => {
    const { person, job, texts, key, machine } = await aWholePerson()
    const { body: exported } = await person.request('GET', '/api/me/export')
    const before = await findTexts(texts)
    for (const column of [
      'accounts.username',
      'accounts.email_key',
      'sessions.user_agent',
      'keys.name',
      'idempotency_keys.key',
    ])
      expect(before).toContain(column)
    expect((await remove(person)).status).toBe(204)
    await world.settle()
    expect(await findTexts([...texts, ...personalTexts(exported)])).toEqual([])
    const counts = await world.postgres.query(
      `SELECT (SELECT count(*)::int FROM sessions WHERE account_id = $1) AS sessions,
        (SELECT count(*)::int FROM members WHERE account_id = $1) AS roles,
        (SELECT count(*)::int FROM password_resets WHERE account_id = $1) AS resets,
        (SELECT count(*)::int FROM keys WHERE account_id = $1 AND revoked_at IS NULL) AS keys`,
      [person.id],
    )
    expect(counts).toEqual([{ sessions: 0, roles: 0, resets: 0, keys: 0 }])
    // The history keeps the id.
    const { body: history } = await owner.request('GET', `/api/machines/${machine.id}/history`)
    expect(history.items).toEqual([expect.objectContaining({ id: job.id, requested_by: person.id })])
    expect((await key.request('GET', '/api/machines')).body.code).toBe('key_invalid')
  })

  test('ends all sessions at once, and frees the username and the e-mail address', async () => {
    const person = await world.signUp()
    const other: SignedIn = await signIn(world, person)
    expect((await remove(person)).status).toBe(204)
    for (const { request } of [person, other]) expect((await request('GET', '/api/me')).body.code).toBe('session_ended')
    const { username, password, email } = person
    const logIn = () => world.request('POST', '/api/log-in', { body: { username, password } })
    expect((await logIn()).body.code).toBe('bad_credentials')
    expect((await world.request('POST', '/api/token/refresh', { body: { refresh: person.refresh } })).status).toBe(401)
    const again = await world.signUpOverHttp({ username, password, email })
    expect(again.id).not.toBe(person.id)
    expect((await logIn()).status).toBe(200)
  })

  test('writes into Redis only what was valid: there may be thousands of former sessions and keys', async () => {
    const person = await world.signUp()
    const [former, other] = [await signIn(world, person), await signIn(world, person)]
    await person.request('DELETE', `/api/me/sessions/${former.sessionId}`)
    const [key, expired] = [await makeKey(world, person), await makeKey(world, person)]
    await world.postgres.query('UPDATE keys SET expires_at = now() WHERE id = $1', [expired.id])
    const names = [`session:${former.sessionId}`, `session:${other.sessionId}`, `key:${key.id}`, `key:${expired.id}`]
    await world.redis.command('DEL', ...names)
    expect((await remove(person)).status).toBe(204)
    const written = await Promise.all(names.map((name) => world.redis.command('GET', name)))
    expect(written).toEqual([null, 'ask', 'ask', null])
  })

  test('does nothing without the password', async () => {
    const person = await world.signUp()
    expect((await remove(person, 'a wrong password')).body.code).toBe('wrong_password')
    expect((await person.request('DELETE', '/api/me', { body: {} })).status).toBe(422)
    expect((await person.request('GET', '/api/me')).status).toBe(200)
  })

  test('is refused while the account owns a machine, is the last manager of a site, or the last staff', async () => {
    const person = await world.signUp()
    const machine = await world.createMachine(person)
    const site = await createSite(person)
    const refused = async (code: string) => {
      const answer = await remove(person)
      expect([answer.status, answer.body.code]).toEqual([409, code])
    }
    await refused('owns_machines')
    await person.request('DELETE', `/api/machines/${machine.id}`)
    await refused('last_manager')
    await grant(person, site.path, owner, 'manager')
    expect((await person.request('GET', '/api/me')).status).toBe(200)
    expect((await remove(person)).status).toBe(204)
    expect((await owner.request('GET', `${site.path}/members`)).body.items).toEqual([
      expect.objectContaining({ account_id: owner.id }),
    ])
  })

  test('a START that has not been sent is not sent any more', async () => {
    const person = await world.signUp()
    const machine = await world.createMachine(owner)
    await grant(owner, `/api/machines/${machine.id}`, person, 'operator')
    const job = await request(world, person, machine.id, 'START')
    await remove(person)
    await deliver(world, job.id)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'REJECTED', reason: 'not_allowed' })
    expect(machine.commands()).toEqual([])
  })

  test('for staff, the account does not exist any more', async () => {
    const [person, staff] = [await world.signUp(), await world.signUpStaff()]
    await remove(person)
    const path = `/api/accounts/${person.id}`
    expect(
      (await staff.request('PATCH', path, { body: { is_active: true, current_password: staff.password } })).status,
    ).toBe(404)
    expect((await staff.request('POST', `${path}/password-reset`)).status).toBe(404)
    const { body } = await staff.request('GET', '/api/accounts?sort=-id&limit=100')
    expect(body.items.map(({ id }: { id: number }) => id)).not.toContain(person.id)
  })

  // PGlite runs one transaction after the other.
  test.runIf(hasRealPostgres)('races with the registration of a machine: she owns one, or is deleted', async () => {
    for (let round = 0; round < 8; round += 1) {
      const person = await world.signUp()
      const [deleted, created] = await Promise.all([
        remove(person),
        person.request('POST', '/api/machines', { body: { name: 'Machine', location: 'Hall 1' } }),
      ])
      expect(['204 401', '409 201']).toContain(`${deleted.status} ${created.status}`)
      const [row] = await world.postgres.query(
        `SELECT a.deleted_at IS NOT NULL AS is_deleted,
          EXISTS (SELECT FROM machines WHERE owner_id = a.id AND deleted_at IS NULL) AS owns FROM accounts a WHERE id = $1`,
        [person.id],
      )
      expect(row).toEqual({ is_deleted: deleted.status === 204, owns: deleted.status !== 204 })
    }
  })

  test.runIf(hasRealPostgres)('of two managers who delete their accounts at once, one stays', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [one, other] = [await world.signUp(), await world.signUp()]
      const site = await createSite(one)
      await grant(one, site.path, other, 'manager')
      const answers = await Promise.all([one, other].map((person) => remove(person)))
      expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409])
    }
  })
})

/** The texts of an export that are about the person, not about machines. */
function personalTexts({ account, sessions, keys }: Record<string, unknown>): string[] {
  const texts: string[] = []
  const walk = (value: unknown, name = ''): void => {
    if (typeof value === 'object' && value !== null) for (const [key, inner] of Object.entries(value)) walk(inner, key)
    else if (
      typeof value === 'string' &&
      ['username', 'email', 'first_name', 'last_name', 'user_agent', 'name'].includes(name)
    )
      texts.push(value)
  }
  walk([account, sessions, keys])
  return texts.filter((text) => text.length > 5)
}
