// Imports an old database: a valid dump, invalid rows, a second run, and log-ins with the old passwords.
import { pbkdf2Sync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runImport } from '../../src/tools/import/run.ts'
import { startWorld, type World } from '../harness.ts'
import { runTool } from './programs.ts'

/** A new database for each test, because the ids of the old database must be unused. */
let world: World
let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tiebar-import-'))
})
afterAll(async () => {
  await world?.close()
  if (dir) await rm(dir, { recursive: true })
})

const django = (password: string, rounds = 870_000) =>
  `pbkdf2_sha256$${rounds}$salt$${pbkdf2Sync(password, 'salt', rounds, 32, 'sha256').toString('base64')}`

const account = (id: number, username: string, rest: { password?: string; email?: string; staff?: boolean } = {}) =>
  `INSERT INTO public.accounts VALUES (${id}, '${rest.password ?? django('moulding', 1_000)}', '2024-06-01 08:00:00+09', ` +
  `${rest.staff === true}, '${username}', '민지', '김', '${rest.email ?? `${username.toLowerCase()}@example.com`}', ` +
  `${rest.staff === true}, true, '2024-01-01 00:00:00+00');`
const machine = (id: number, name: string, location: string, status: number, owner: number) =>
  `INSERT INTO public.injection_molding_machines VALUES (${id}, '${name}', '${location}', ${status}, ${owner});`
const history = (id: number, command: string, at: string, result: number, machineId: number, worker: number) =>
  `INSERT INTO public.machines_history VALUES (${id}, '${command}', '${at}', ${result}, ${machineId}, ${worker});`

let files = 0
async function writeDump(lines: string[]) {
  files += 1
  const path = join(dir, `old-${files}.sql`)
  await writeFile(path, lines.join('\n'))
  const env = {
    DATABASE_URL: world.postgres.databaseUrl,
    NEON_FETCH_ENDPOINT: world.postgres.fetchEndpoint,
    ALLOW_PRIVATE_CONTROLLERS: 'true',
  }
  return { path, env }
}

/** Imports in this process, because starting a program takes a second. */
async function importLines(lines: string[], ...args: string[]) {
  const { path, env } = await writeDump(lines)
  const { exitCode, report } = await runImport([path, ...args], env)
  return { code: exitCode, lines: report.replaceAll(path, 'old.sql').trimEnd().split('\n') }
}

async function importAsProgram(lines: string[], ...args: string[]) {
  const { path, env } = await writeDump(lines)
  return await runTool('import', [path, ...args], { env })
}

const logIn = (username: string, password: string) =>
  world.request('POST', '/api/log-in', { body: { username, password } })
const hashOf = async (id: number) =>
  (await world.postgres.query('SELECT password_hash FROM accounts WHERE id = $1', [id]))[0]?.password_hash

test('an old database is imported completely, and a second run skips imported rows', async () => {
  await world?.close()
  world = await startWorld()
  const controller = world.controller.machine('old')
  const dump = [
    account(7, 'minji', { password: django('1') }),
    account(8, 'Lee', { staff: true }),
    machine(42, '사출기 1호', controller.url, 1, 7),
    machine(43, '사출기 2호', '1공장 A열', 4, 8),
    history(1, 'START', '2024-05-01 09:30:00.123+09', 1, 42, 7),
    history(2, 'STOP', '2024-05-01 09:31:00+09', 2, 42, 8),
    history(3, 'START', '2024-05-02 09:30:00+09', 4, 43, 8),
  ]
  const planned = await importAsProgram(dump, '--dry-run')
  expect([planned.code, planned.stdout]).toEqual([0, expect.stringMatching(/\nNothing was written.\n$/)])
  expect(await importLines(dump)).toEqual({
    code: 0,
    lines: [
      'accounts 2 imported · 0 imported before · 0 not imported',
      'machines 2 imported · 0 imported before · 0 not imported',
      'history  3 imported · 0 imported before · 0 not imported',
      '! accounts, old.sql:2: Lee is no longer staff; to change that: npm run staff -- Lee',
    ],
  })

  const wrong = await logIn('Lee', '2')
  expect([wrong.status, wrong.body.code]).toEqual([401, 'bad_credentials'])
  expect(await hashOf(8)).toMatch(/^pbkdf2_sha256\$1000\$/)
  expect(await hashOf(7)).toMatch(/^pbkdf2_sha256\$870000\$/)
  const { status, body } = await logIn('MINJI', '1')
  expect([status, body.user.id, body.user.date_joined]).toEqual([200, 7, '2024-01-01T00:00:00.000000Z'])
  expect(await hashOf(7)).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/)
  expect((await logIn('minji', '1')).status).toBe(200)

  const token = body.token.access
  const mine = await world.request('GET', '/api/machines?owner_id=me', { token })
  expect(mine.body.items).toMatchObject([
    { id: 42, name: '사출기 1호', status: 'READY', controller_url: controller.url },
  ])
  const [row] = mine.body.items
  const statuses = await world.request('GET', '/api/machines/42/statuses', { token })
  expect(statuses.body.items).toEqual([{ status: 'READY', source: 'person', at: row.status_at }])
  const past = await world.request('GET', '/api/machines/42/history', { token })
  expect(past.body.items).toMatchObject([
    { command: 'STOP', state: 'FAILED', result: 'REMOTEFAILED', requested_by: 8, machine_owner_id: 7 },
    { command: 'START', state: 'SUCCEEDED', requested_by: 7, requested_at: '2024-05-01T00:30:00.123000Z' },
  ])
  const events = await world.request('GET', `/api/jobs/${past.body.items[0].id}/events`, { token })
  expect(events.body.items).toMatchObject([{ version: 1, state: 'FAILED', by: 8, reason: 'refused' }])
  const started = await world.request('POST', '/api/machines/42/operation', { token, body: { command: 'START' } })
  expect(started.status).toBe(202)
  const person = { request: (method: string, path: string) => world.request(method, path, { token }) }
  await world.waitForJob(person as never, started.body.id, 'SUCCEEDED') // waitForJob uses only `request` of a person

  expect((await world.signUp()).id).toBeGreaterThan(8)
  const again = await importLines([...dump, history(4, 'STOP', '2024-05-03 09:30:00+09', 7, 42, 7)])
  expect(again.lines.slice(0, 3)).toEqual([
    'accounts 0 imported · 2 imported before · 0 not imported',
    'machines 0 imported · 2 imported before · 0 not imported',
    'history  1 imported · 3 imported before · 0 not imported',
  ])
  expect(await hashOf(7)).toMatch(/^\$scrypt/)
})

test('each row that cannot be imported is reported with the reason; the rest is imported', async () => {
  await world?.close()
  world = await startWorld()
  const here = await world.signUp()
  const hers = await world.createMachine(here)
  const { code, lines } = await importLines([
    account(here.id, 'kim'),
    account(11, 'KIM', { email: 'other@example.com' }),
    account(12, here.username.toUpperCase(), { email: 'third@example.com' }),
    account(13, 'park', { email: 'Kim@example.com' }),
    account(14, 'no spaces please'),
    account(15, 'choi', { password: '!unusable' }),
    machine(hers.id, 'M', 'Hall 1', 0, here.id),
    machine(21, 'N', 'Hall 1', 0, 11),
    machine(22, 'O', 'Hall 1', 9, here.id),
    machine(23, 'P', 'http://user:word@controller.example.com/', 1, here.id),
    machine(24, 'Q', 'x'.repeat(300), 1, here.id),
    history(1, 'START', '2024-05-01 09:30:00+09', 1, 21, here.id),
    history(2, 'RESTART', '2024-05-01 09:30:00+09', 1, hers.id, here.id),
    history(3, 'START', 'yesterday', 1, hers.id, here.id),
    history(4, 'START', '2024-05-01 09:30:00+09', 8, hers.id, here.id),
    history(5, 'START', '2024-05-01 09:30:00+09', 5, hers.id, here.id),
  ])
  expect(code).toBe(3)
  const moved = lines.join('\n').match(/account \d+ has the id (\d+) now/)?.[1]
  const movedMachine = lines.join('\n').match(/machine \d+ has the id (\d+) now/)?.[1]
  expect(lines).toEqual([
    'accounts 2 imported · 0 imported before · 4 not imported',
    'machines 2 imported · 0 imported before · 3 not imported',
    'history  1 imported · 0 imported before · 4 not imported',
    '✗ accounts, old.sql:2: the username KIM is taken; usernames do not differ by case alone',
    `✗ accounts, old.sql:3: the username ${here.username.toUpperCase()} is taken; usernames do not differ by case alone`,
    '✗ accounts, old.sql:4: the e-mail address Kim@example.com is taken',
    '✗ accounts, old.sql:5: username: may have letters, digits and @ . + - _ only',
    '✗ machines, old.sql:8: its owner, the account 11, is not in the file or was not imported',
    expect.stringMatching(/^✗ machines, old\.sql:9: status: ./),
    '✗ machines, old.sql:11: location: must have 1 to 256 characters',
    '✗ history, old.sql:12: its machine, the machine 21, is not in the file or was not imported',
    expect.stringMatching(/^✗ history, old\.sql:13: command: ./),
    '✗ history, old.sql:14: request_datetime: yesterday is not a time with an offset',
    expect.stringMatching(/^✗ history, old\.sql:15: result: ./),
    `! accounts, old.sql:1: account ${here.id} has the id ${moved} now: the old id was in use`,
    '! accounts, old.sql:6: choi cannot log in: the password is not stored as pbkdf2_sha256; ' +
      'to create a new one: npm run staff -- choi --reset-password',
    `! machines, old.sql:7: machine ${hers.id} has the id ${movedMachine} now: the old id was in use`,
    '! machines, old.sql:10: P has no controller now: its URL must not contain user information',
  ])
  // Rows of the two accounts are not mixed up, although one has the other's old id.
  const { body } = await logIn('kim', 'moulding')
  expect(body.user.id).toBe(Number(moved))
  const past = await world.request('GET', '/api/machines/history', { token: body.token.access })
  expect(past.body.items).toMatchObject([{ machine_id: Number(movedMachine), result: 'PERMISSIONDENIED' }])
  expect((await here.request('GET', '/api/machines/history')).body.items).toEqual([])
  expect((await logIn('choi', '!unusable')).status).toBe(401)
})

test('the order of columns can be given, and a CSV has it in its header', async () => {
  await world?.close()
  world = await startWorld()
  const csv = join(dir, 'accounts.csv')
  const rest = `han@example.com,${django('moulding', 1_000)},f,2024-06-01 08:00:00`
  await writeFile(csv, `id,username,email,password,is_active,last_login\n5,han,${rest}\n`)
  const { code, lines } = await importLines(
    [`INSERT INTO injection_molding_machines VALUES (5, 0, 9, 'R', 'Hall 1');`],
    csv,
    '--columns',
    'machines=owner_id,status,id,name,location',
    '--time-zone',
    'Asia/Seoul',
  )
  expect([code, lines[0], lines[1]]).toEqual([
    0,
    'accounts 1 imported · 0 imported before · 0 not imported',
    'machines 1 imported · 0 imported before · 0 not imported',
  ])
  const [account] = await world.postgres.query('SELECT extract(epoch FROM last_login)::int AS last_login FROM accounts')
  expect(account?.last_login).toBe(Date.UTC(2024, 4, 31, 23) / 1_000)
  expect(await world.postgres.query('SELECT id::int, owner_id::int, name, status FROM machines')).toEqual([
    { id: 9, owner_id: 5, name: 'R', status: 'POWEROFF' },
  ])
  expect((await logIn('han', 'moulding')).status).toBe(401) // disabled in the old database
})

test('nothing is written after a database error, and a usage error says what is wrong', async () => {
  const dump = [account(1_000, 'nam'), machine(1_000, 'S', 'Hall 1', 0, 1_000)]
  await world.postgres.query('ALTER TABLE machines ADD CONSTRAINT full_up CHECK (id < 1000) NOT VALID')
  const refused = await importAsProgram(dump)
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('full_up')])
  expect(await world.postgres.query("SELECT id FROM accounts WHERE username = 'nam'")).toEqual([])
  for (const [args, message] of [
    [[], 'Give at least one FILE'],
    [['/nothing/here.sql'], '/nothing/here.sql: ENOENT'],
    [['x.sql', '--columns', 'jobs=id'], '--columns jobs=id'],
    [['x.sql', '--force'], '--force'],
  ] as const) {
    const { code, stderr } = await runTool('import', [...args])
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
  }
})
