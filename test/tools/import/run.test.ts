// The import as a function: what is refused and can be mended by a second run, and what comes along from the old system.
import { pbkdf2Sync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runImport } from '../../../src/tools/import/run.ts'
import type { World } from '../../harness.ts'
import { useWorld } from '../../shared-world.ts'

let world: World
let dir: string
beforeAll(async () => {
  world = await useWorld()
  dir = await mkdtemp(join(tmpdir(), 'tiebar-import-'))
})
afterAll(async () => {
  if (dir) await rm(dir, { recursive: true })
})

const hash = `pbkdf2_sha256$1000$salt$${pbkdf2Sync('moulding', 'salt', 1_000, 32, 'sha256').toString('base64')}`

/** Ids that no other test uses. */
let lastId = 7_100_000
const nextId = () => {
  lastId += 1
  return lastId
}

async function write(name: string, content: string | Buffer): Promise<string> {
  const path = join(dir, name)
  await writeFile(path, content)
  return path
}

async function runOn(args: string[]) {
  const env = { DATABASE_URL: world.postgres.databaseUrl, NEON_FETCH_ENDPOINT: world.postgres.fetchEndpoint }
  const { exitCode, report } = await runImport(args, env)
  return { exitCode, lines: report.replaceAll(`${dir}/`, '').trimEnd().split('\n') }
}

const header = 'id,username,email,password,is_active,date_joined'
const csvOf = (...rows: (string | number)[][]) => `${[header, ...rows.map((row) => row.join(','))].join('\n')}\n`
const joined = '2024-01-01 00:00:00+00'

async function logIn(username: string) {
  const { status, body } = await world.request('POST', '/api/log-in', { body: { username, password: 'moulding' } })
  return { status, user: body.user }
}
const stored = async (id: number) => (await world.postgres.query('SELECT * FROM accounts WHERE id = $1', [id]))[0]

test('a CSV of Excel in CP949 is refused with the option to try, and nothing is written; with the option it is read', async () => {
  const id = nextId()
  const text = csvOf(
    [nextId(), 'ascii', 'ascii@example.com', hash, 'TRUE', joined],
    [id, '?', '', hash, 'TRUE', joined],
  )
  const at = text.indexOf('?')
  const path = await write(
    'excel.csv',
    Buffer.concat([Buffer.from(text.slice(0, at)), Uint8Array.of(0xb1, 0xe8), Buffer.from(text.slice(at + 1))]),
  )
  await expect(runOn([path])).rejects.toMatchObject({
    exitCode: 2,
    message: `${path}: Line 3, byte ${at}: this is not valid utf-8. Try --encoding ${path}=cp949.\nNothing was imported.`,
  })
  expect(await world.postgres.query("SELECT id FROM accounts WHERE username = 'ascii'")).toEqual([])
  expect((await runOn([path, '--encoding', `${path}=cp949`])).lines[0]).toContain('accounts 2 imported')
  expect((await stored(id))?.username).toBe('김')
})

test('a text that was damaged before the import is not imported', async () => {
  const path = await write('damaged.csv', csvOf([nextId(), 'damaged', '�@example.com', hash, 'TRUE', joined]))
  const { exitCode, lines } = await runOn([path])
  expect([exitCode, lines.at(-1)]).toEqual([
    3,
    expect.stringContaining('✗ accounts, damaged.csv:2: email: �@example.com was damaged'),
  ])
})

test('booleans are understood as PostgreSQL does, or the row is refused with its file and line', async () => {
  const path = await write(
    'booleans.csv',
    csvOf(
      [nextId(), 'bool.yes', 'y@example.com', hash, 'Y', joined],
      [nextId(), 'bool.no', 'n@example.com', hash, 'N', joined],
      [nextId(), 'bool.mark', 'v@example.com', hash, '[v]', joined],
      [nextId(), 'bool.none', 'b@example.com', hash, '', joined],
    ),
  )
  const { exitCode, lines } = await runOn([path])
  expect([exitCode, ...lines]).toEqual([
    3,
    'accounts 2 imported · 0 imported before · 2 not imported',
    'machines 0 imported · 0 imported before · 0 not imported',
    'history  0 imported · 0 imported before · 0 not imported',
    '✗ accounts, booleans.csv:4: is_active: [v] is not a boolean: write true or false',
    '✗ accounts, booleans.csv:5: is_active: is missing',
  ])
  expect([(await logIn('bool.yes')).status, (await logIn('bool.no')).status]).toEqual([200, 401])
})

test('a row that is refused stays refused in the second run', async () => {
  const [first, second, taken] = [nextId(), nextId(), nextId()]
  const [machine, job] = [nextId(), nextId()]
  const path = await write(
    'twice.sql',
    [
      ...[
        [first, 'twice.a', 'twice@example.com'],
        [first, 'twice.b', ''],
        [second, 'twice.a', ''],
        [second, 'twice.c', ''],
        [taken, 'twice.d', 'TWICE@example.com'],
      ].map(
        ([id, name, email]) =>
          `INSERT INTO accounts (id, username, email, is_active) VALUES (${id}, '${name}', '${email}', true);`,
      ),
      ...['M', 'N'].map(
        (name) => `INSERT INTO injection_molding_machines VALUES (${machine}, '${name}', 'Hall 1', 0, ${first});`,
      ),
      ...[1, 2].map(
        (result) =>
          `INSERT INTO machines_history VALUES (${job}, 'STOP', '${joined}', ${result}, ${machine}, ${first});`,
      ),
    ].join('\n'),
  )
  const refused = (await runOn([path])).lines.filter((line) => line.startsWith('✗'))
  expect(refused).toEqual([
    `✗ accounts, twice.sql:2: another row has the id ${first} too`,
    '✗ accounts, twice.sql:3: the username twice.a is taken; usernames do not differ by case alone',
    `✗ accounts, twice.sql:4: another row has the id ${second} too`,
    '✗ accounts, twice.sql:5: the e-mail address TWICE@example.com is taken',
    `✗ machines, twice.sql:7: another row has the id ${machine} too`,
    '✗ history, twice.sql:9: another row has the same id',
  ])
  const again = await runOn([path])
  expect(again.exitCode).toBe(3)
  expect(again.lines.filter((line) => line.startsWith('✗'))).toEqual(refused)
  expect(again.lines.slice(0, 3)).toEqual([
    'accounts 0 imported · 1 imported before · 4 not imported',
    'machines 0 imported · 1 imported before · 1 not imported',
    'history  0 imported · 1 imported before · 1 not imported',
  ])
  // Without the row that was imported, the other one is still not the imported account.
  const other = await write('other.csv', csvOf([first, 'twice.b', '', hash, 'TRUE', joined]))
  expect((await runOn([other])).lines.at(-1)).toBe(
    `✗ accounts, other.csv:2: the id ${first} was imported before, with the username twice.a`,
  )
})

test('blank and odd e-mail addresses and unusable passwords come along', async () => {
  const ids = [nextId(), nextId(), nextId(), nextId(), nextId(), nextId()]
  const path = await write(
    'people.sql',
    [
      [ids[0], 'blank.a', '', hash],
      [ids[1], 'blank.b', '', hash],
      [ids[2], 'odd.a', 'kim@localhost', hash],
      [ids[3], 'unusable.a', 'u@example.com', '!kXz1unusable'],
      [ids[4], 'same.a', '-', hash],
      [ids[5], 'same.b', '-', hash],
    ]
      .map(
        ([id, name, email, password]) =>
          `INSERT INTO public.accounts VALUES (${id}, '${password}', NULL, false, '${name}', '', '', '${email}', false, true, '${joined}');`,
      )
      .join('\n'),
  )
  const { exitCode, lines } = await runOn([path])
  expect([exitCode, ...lines.slice(3)]).toEqual([
    0,
    '! accounts, people.sql:3: odd.a keeps kim@localhost, which is not an e-mail address',
    '! accounts, people.sql:4: unusable.a cannot log in: the password is not stored as pbkdf2_sha256; to create a new one: npm run staff -- unusable.a --reset-password',
    '! accounts, people.sql:5: same.a keeps -, which is not an e-mail address',
    '! accounts, people.sql:6: same.b keeps -, which is not an e-mail address',
  ])
  const people = await Promise.all(['blank.a', 'blank.b', 'odd.a', 'unusable.a', 'same.a', 'same.b'].map(logIn))
  expect(people.map(({ status, user }) => [status, user?.email])).toEqual([
    [200, ''],
    [200, ''],
    [200, 'kim@localhost'],
    [401, undefined],
    [200, '-'],
    [200, '-'],
  ])
})

test('a time without an offset is not imported without a time zone, and a second run with one imports it', async () => {
  const id = nextId()
  const path = await write('times.csv', csvOf([id, 'local.time', 't@example.com', hash, 'TRUE', '2024-06-01 08:00:00']))
  const refused = await runOn([path])
  expect([refused.exitCode, refused.lines.at(-1)]).toEqual([
    3,
    '✗ accounts, times.csv:2: date_joined: 2024-06-01 08:00:00 has no offset: give the time zone, for example --time-zone Asia/Seoul',
  ])
  expect((await runOn([path, '--time-zone', 'Asia/Seoul'])).exitCode).toBe(0)
  expect((await logIn('local.time')).user.date_joined).toBe('2024-05-31T23:00:00.000000Z')
})

test('\\N in a CSV is NULL unless it is in quotes', async () => {
  const names = 'id,username,first_name,last_name,is_active,password'
  const id = nextId()
  const path = await write('null.csv', `${names}\n${id},null.name,\\N,"\\N",true,\\N\n`)
  expect((await runOn([path])).exitCode).toBe(0)
  expect(await stored(id)).toMatchObject({ first_name: '', last_name: '\\N', email: '', email_key: null })
})

test.each([
  [['a.csv', '--encoding', 'latin1'], '--encoding latin1: give utf-8, cp949, euc-kr, utf-16le or utf-16be.'],
  [['a.csv', '--encoding', 'b.csv=cp949'], '--encoding b.csv=cp949: b.csv is none of the files.'],
  [['a.csv', '--time-zone', 'Seoul'], '--time-zone Seoul: give a name of the IANA database, for example Asia/Seoul.'],
])('the arguments %j are refused', async (args, message) => {
  await expect(runOn(args)).rejects.toMatchObject({ exitCode: 2, message })
})
