// `npm run staff`: gives staff rights to the first staff account, which no endpoint can do.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasRealPostgres, type World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { runTool, startTool } from './programs.ts'

let world: World
let dir: string
let env: Record<string, string>
beforeAll(async () => {
  world = await useWorld()
  // Removes the staff of other tests, because the test of the last staff account counts all staff.
  await world.postgres.query('UPDATE accounts SET is_staff = false')
  dir = await mkdtemp(join(tmpdir(), 'tiebar-staff-'))
  env = { DATABASE_URL: world.postgres.databaseUrl, NEON_FETCH_ENDPOINT: world.postgres.fetchEndpoint }
})
afterAll(async () => {
  if (dir) await rm(dir, { recursive: true })
})

test('grants and revokes staff rights by username in any case, with effect from the next request', async () => {
  const person = await world.signUp()
  const isStaff = async () => (await person.request('GET', '/api/accounts')).status === 200
  const given = await runTool('staff', [person.username.toUpperCase()], { env })
  expect(given).toEqual({ code: 0, stdout: `${person.username} is staff now.\n`, stderr: '' })
  expect(await isStaff()).toBe(true)
  expect((await runTool('staff', [person.username], { env })).code).toBe(0)
  const taken = await runTool('staff', ['--remove', person.username], { env })
  expect([taken.code, taken.stdout]).toEqual([0, `${person.username} is no longer staff.\n`])
  expect(taken.stderr).toContain('No active staff account is left.')
  expect(await isStaff()).toBe(false)
  const [plain, granted] = [
    { is_active: true, is_staff: false },
    { is_active: true, is_staff: true },
  ]
  // The second run changed nothing.
  expect(await eventsOf(person.id)).toEqual([
    { actor: null, action: 'account.rights', before: plain, after: granted },
    { actor: null, action: 'account.rights', before: granted, after: plain },
  ])
})

const eventsOf = (id: number) =>
  world.postgres.query('SELECT actor::float8, action, before, after FROM audit_events WHERE subject = $1 ORDER BY id', [
    `account:${id}`,
  ])

test('does not find an account that was deleted', async () => {
  const person = await world.signUp()
  await person.request('DELETE', '/api/me', { body: { current_password: person.password } })
  for (const option of [[], ['--reset-password']]) {
    const { code } = await runTool('staff', [`deleted#${person.id}`, ...option], { env })
    expect([option, code]).toEqual([option, 1])
  }
  const [row] = await world.postgres.query('SELECT is_staff, password_hash FROM accounts WHERE id = $1', [person.id])
  expect(row).toEqual({ is_staff: false, password_hash: '!' })
})

// PGlite runs one statement after the other.
test.runIf(hasRealPostgres)('records nothing if the rights are changed at the same time', async () => {
  const person = await world.signUp()
  const changing = world.postgres.query(
    `WITH changed AS (UPDATE accounts SET is_staff = true WHERE id = $1 RETURNING id) SELECT pg_sleep(3) FROM changed`,
    [person.id],
  )
  expect((await runTool('staff', [person.username], { env })).code).toBe(0)
  await changing
  expect(await eventsOf(person.id)).toEqual([])
})

test('makes a new password for an account that has none, ends its sessions, and does not change its rights', async () => {
  const person = await world.signUp()
  await world.postgres.query("UPDATE accounts SET password_hash = '!', email = '', email_key = NULL WHERE id = $1", [
    person.id,
  ])
  const logIn = async (password: string) => {
    const body = { username: person.username, password }
    return await world.request('POST', '/api/log-in', { body })
  }
  expect((await person.request('GET', '/api/me')).body.email).toBe('')
  expect((await logIn('!')).status).toBe(401)
  const staff = await world.signUpStaff()
  const { reset_token } = (await staff.request('POST', `/api/accounts/${person.id}/password-reset`)).body
  const { code, stdout, stderr } = await runTool('staff', [person.username, '--reset-password'], { env })
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}\n$/)])
  expect(stderr).toContain(`This is the password of ${person.username} now; it is not shown again. Sessions ended: 1.`)
  expect((await person.request('GET', '/api/me')).status).toBe(401)
  const { status, body } = await logIn(stdout.trim())
  expect([status, body.user.is_staff]).toEqual([200, false])
  // A token that staff issued before is not valid any more.
  const late = { reset_token, new_password: 'eleven barrels of steel' }
  expect((await world.request('POST', '/api/password-reset', { body: late })).body.code).toBe('reset_token_invalid')
  expect(await eventsOf(person.id)).toEqual([
    { actor: staff.id, action: 'account.reset_issue', before: null, after: null },
    { actor: null, action: 'account.password', before: null, after: null },
  ])
})

test('prints a note when the account is disabled', async () => {
  const person = await world.signUp()
  await world.postgres.query('UPDATE accounts SET is_active = false WHERE id = $1', [person.id])
  const { code, stderr } = await runTool('staff', [person.username], { env })
  expect([code, stderr]).toEqual([0, expect.stringContaining('The account is disabled')])
})

test('exits with 1 for an unknown name', async () => {
  const { code, stdout, stderr } = await runTool('staff', ["nobody'; --"], { env })
  expect([code, stdout, stderr]).toEqual([1, '', "There is no account named nobody'; --.\n"])
})

test('exits with 1 and no stack when the database does not answer', async () => {
  const { code, stderr } = await runTool('staff', ['x'], {
    env: { ...env, NEON_FETCH_ENDPOINT: 'http://127.0.0.1:9/sql' },
  })
  expect(code).toBe(1)
  expect(stderr).toContain('The database did not answer')
  expect(stderr).not.toMatch(/\n\s+at /)
  expect(stderr).not.toContain(new URL(env.DATABASE_URL ?? '').password)
})

describe('without DATABASE_URL', () => {
  const platform = () =>
    JSON.stringify({ postgres: { database_url: env.DATABASE_URL, fetch_endpoint: env.NEON_FETCH_ENDPOINT } })

  test('uses the database of .local/platform.json', async () => {
    const person = await world.signUp()
    await mkdir(join(dir, '.local'), { recursive: true })
    await writeFile(join(dir, '.local/platform.json'), platform())
    const { code, stdout } = await startTool('staff', [person.username], { cwd: dir })
    expect([code, stdout]).toEqual([0, `${person.username} is staff now.\n`])
  })

  test('uses the database of the folder in LOCAL_DIR', async () => {
    const person = await world.signUp()
    const LOCAL_DIR = join(dir, 'elsewhere')
    await mkdir(LOCAL_DIR)
    await writeFile(join(LOCAL_DIR, 'platform.json'), platform())
    expect((await runTool('staff', [person.username], { env: { LOCAL_DIR } })).code).toBe(0)
  })

  test.each([
    ['there is no platform.json', undefined, /there is no .*platform\.json/],
    ['platform.json is invalid', '{', /platform\.json cannot be read/],
    ['platform.json names no database', '{}', /platform\.json cannot be read/],
  ])('exits with 2 when %s', async (_what, content, message) => {
    const LOCAL_DIR = await mkdtemp(join(dir, 'broken-'))
    if (content !== undefined) await writeFile(join(LOCAL_DIR, 'platform.json'), content)
    const { code, stdout, stderr } = await runTool('staff', ['x'], { env: { LOCAL_DIR } })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr).toContain('npm run dev')
  })
})

test.each([
  ['no name', []],
  ['two names', ['one', 'two']],
  ['an unknown option', ['one', '--take']],
  ['two changes', ['one', '--remove', '--reset-password']],
])('exits with 2 and prints the usage for %s', async (_what, args) => {
  const { code, stderr } = await runTool('staff', args, { env })
  expect([code, stderr]).toEqual([2, expect.stringContaining('usage: npm run staff -- NAME')])
})

test('exits with 2 for an invalid DATABASE_URL, and does not show it', async () => {
  const { code, stderr } = await runTool('staff', ['x'], { env: { DATABASE_URL: 'mysql://me:secret@host/db' } })
  expect(code).toBe(2)
  expect(stderr).toContain('DATABASE_URL must be')
  expect(stderr).not.toContain('secret')
})
