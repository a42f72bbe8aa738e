// What the real pg_dump writes, with INSERT and with COPY and in several encodings, is read as the rows that it dumped.
// Needs a real server and its pg_dump; `npm run test:services` names one.
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readRows } from '../../../src/tools/import/dump.ts'
import { Input } from '../../../src/tools/import/input.ts'
import { type OldTable, oldTables, usualColumns } from '../../../src/tools/import/tables.ts'
import { SERVER_URL } from '../../platform/postgres/world.ts'
import { type PostgresStandIn, startPostgres } from '../../platform/postgres.ts'

function hasPgDump(): boolean {
  try {
    execFileSync('pg_dump', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const schema = `
  CREATE SCHEMA cron;
  CREATE TABLE cron.job (id bigserial, command text, accounts text);
  CREATE TABLE cron.accounts (id int, username text);
  CREATE TABLE "Odd; ""table'" (a bytea, b bit(4), c text, d boolean);
  CREATE TABLE empty ();
  CREATE TABLE accounts (
    id bigint PRIMARY KEY, password varchar(128) NOT NULL, last_login timestamptz, is_superuser boolean NOT NULL,
    username varchar(150) NOT NULL, first_name varchar(150) NOT NULL, last_name varchar(150) NOT NULL,
    email varchar(254) NOT NULL, is_staff boolean NOT NULL, is_active boolean NOT NULL, date_joined timestamptz NOT NULL);
  CREATE TABLE injection_molding_machines (
    id bigint, name varchar(64), location varchar(256), status smallint, owner_id bigint REFERENCES accounts);
  CREATE TABLE machines_history (
    id bigint, command varchar(8), request_datetime timestamptz, result smallint, machine_id bigint, worker_id bigint);
  CREATE FUNCTION note() RETURNS void LANGUAGE sql BEGIN ATOMIC
    INSERT INTO machines_history (id, command) VALUES (0, 'fake'); SELECT CASE WHEN true THEN 1 END;
  END`

const names = [
  '김',
  `It's "a"`,
  'C:\\N\\t',
  '\\.',
  '\\N',
  'two\nlines\t|',
  'INSERT INTO accounts VALUES (1);',
  '',
  "$$';--",
]

const data = [
  `INSERT INTO cron.job (command, accounts) VALUES ('SELECT ''a;\n\\.'';', E'\\\\'), (NULL, repeat('x''\\', 100000))`,
  `INSERT INTO cron.accounts VALUES (1, 'fake')`,
  `INSERT INTO "Odd; ""table'" VALUES ('\\x41270a', B'0101', E'\\\\.\\n\\b', true)`,
  'INSERT INTO empty DEFAULT VALUES',
  `INSERT INTO machines_history VALUES (1, 'STOP', '2024-05-01 09:30:00.123456+09', 2, 42, 7), (2, 'START', 'infinity', -1, NULL, 7)`,
]

describe.skipIf(!SERVER_URL || !hasPgDump())('pg_dump', () => {
  let postgres: PostgresStandIn
  let url: string
  const expected: Record<string, unknown[]> = {}

  beforeAll(async () => {
    postgres = await startPostgres({ serverUrl: SERVER_URL ?? '' })
    for (const statement of [...schema.split(/;\n(?= {2}CREATE)/), ...data]) await postgres.query(statement)
    for (const [index, name] of names.entries()) {
      const rest = `'!', NULL, false, $2, $2, '', $2, true, false, '2024-01-01'`
      await postgres.query(`INSERT INTO accounts VALUES ($1, ${rest})`, [index + 1, name])
      await postgres.query('INSERT INTO injection_molding_machines VALUES ($1, $2, $2, 4, $1)', [index + 1, name])
    }
    const [database] = await postgres.query('SELECT current_database() AS name')
    url = Object.assign(new URL(SERVER_URL ?? ''), { pathname: `/${database?.name}` }).href
    for (const [table, key] of Object.entries(oldTables)) {
      const columns = usualColumns[key].map((column) => `${column}::text`).join(', ')
      expected[key] = await postgres.query(`SELECT ${columns} FROM ${table} ORDER BY ${table}.id`)
    }
  })
  afterAll(async () => await postgres?.close())

  const forms = [
    ['--column-inserts'],
    ['--inserts'],
    ['--inserts', '--rows-per-insert=4', '--on-conflict-do-nothing'],
    [],
  ]
  const encodings = ['UTF8', 'EUC_KR', 'UHC']
  test.each(
    forms.flatMap((form) =>
      encodings.flatMap((encoding) => ['on', 'off'].map((strings) => [form, encoding, strings] as const)),
    ),
  )('%j in %s, with standard_conforming_strings %s', (form, encoding, strings) => {
    const env = {
      ...process.env,
      PGCLIENTENCODING: encoding,
      PGOPTIONS: `-c standard_conforming_strings=${strings} -c timezone=UTC`,
    }
    for (const dataOnly of [[], ['--data-only']]) {
      const dump = execFileSync('pg_dump', [...form, ...dataOnly, '--dbname', url], { env })
      expect(dump.toString('latin1')).toContain(
        `SET client_encoding = '${encoding}';\nSET standard_conforming_strings = ${strings};`,
      )
      const rows = readRows(new Input([dump]), usualColumns)
      const read = (table: OldTable) =>
        rows.filter((row) => row.table === table).map(({ values }) => toDatabaseText(values))
      for (const table of Object.values(oldTables)) expect([table, read(table)]).toEqual([table, expected[table]])
    }
  })
})

/** COPY writes a boolean as t and f. */
function toDatabaseText(values: Record<string, string | null>) {
  const isFlag = (name: string) => name.startsWith('is_')
  const entries = Object.entries(values).map(([name, value]) => [
    name,
    isFlag(name) ? String(/^t/.test(value ?? '')) : value,
  ])
  return Object.fromEntries(entries)
}
