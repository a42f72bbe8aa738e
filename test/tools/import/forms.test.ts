// The forms of rows and statements in dumps: what PostgreSQL reads, the import reads, and nothing else is taken for it.
import { describe, expect, test } from 'vitest'
import { readRows } from '../../../src/tools/import/dump.ts'
import { Input } from '../../../src/tools/import/input.ts'
import { usualColumns } from '../../../src/tools/import/tables.ts'

/** The values of the rows. Each dump is also read in pieces of a few bytes. */
function read(dump: string) {
  const bytes = Buffer.from(dump)
  const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) =>
    bytes.subarray(index * 7, index * 7 + 7),
  )
  const rows = readRows(new Input([bytes]), usualColumns)
  expect(readRows(new Input(pieces), usualColumns)).toEqual(rows)
  return rows.map(({ values }) => values)
}

const own = `INSERT INTO machines_history (id) VALUES (1);`
const readValue = (literal: string, before = '') => {
  const row = `(${literal}, 'last') ON CONFLICT DO NOTHING`
  const rows = read(`${before}\nINSERT INTO public.machines_history (id, x) VALUES ${row};`)
  expect(rows).toMatchObject([{ x: 'last' }])
  return rows[0]?.id
}

const off = 'SET standard_conforming_strings = off;'

test.each([
  [`E'\\t|\\n|\\b|\\f|\\r|\\v'`, '\t|\n|\b|\f|\r|v'],
  [`E'\\x41\\x2c\\101\\\\x41'`, 'A,A\\x41'],
  [`E'\\xea\\xB0\\x80\\352\\260\\200'`, '가가'],
  [`E'\\uAC00\\U0001F600\\uD83D\\uDE00'`, '가😀😀'],
  [`E'it\\'s; ''quoted''\\\\'`, `it's; 'quoted'\\`],
  [`'\\x41'`, '\\x41'],
  [`'C:\\'`, 'C:\\'],
  [`U&'\\AC00\\+01F600\\\\'`, '가😀\\'],
  [`U&'!AC00!!' UESCAPE '!'`, '가!'],
  [`N'n'`, 'n'],
  [`B'01'`, '01'],
  [`B'01'::bit(2)`, '01'],
  [`X'1F'`, '00011111'],
  [`$$it's; \\ $1$$`, `it's; \\ $1`],
  [`$a$ $b$ $$ $a$`, ' $b$ $$ '],
  [`'one'\n  ' and two'`, 'one and two'],
  [`'a'::text`, 'a'],
  [`'a'::character varying(20)::pg_catalog.text`, 'a'],
  [`CAST('2024-05-01' AS timestamp(3) with time zone)`, '2024-05-01'],
  [`timestamp with time zone '2024-05-01 09:00+09'`, '2024-05-01 09:00+09'],
  [`('a')`, 'a'],
  ['NULL', null],
  ['null::text', null],
  ['DEFAULT', undefined],
  ['TRUE', 'true'],
  ['false', 'false'],
  ['-1.5e3', '-1.5e3'],
  ['+7', '7'],
  [`/* /* it's */ ; */ 'a' -- it's )\n`, 'a'],
])('the value %s is read', (literal, value) => {
  expect(readValue(literal)).toBe(value)
})

test.each([
  [`${off}`, `'\\x41\\t\\'b\\\\'`, `A\t'b\\`],
  [`${off} SET standard_conforming_strings TO on;`, `'\\t'`, '\\t'],
  [`set session standard_conforming_strings to 'off';`, `'\\t'`, '\t'],
  [`${off}`, `E'\\t'`, '\t'],
  [`${off}`, `$$\\t$$`, '\\t'],
])('after %s the value %s is read', (setting, literal, value) => {
  expect(readValue(literal, setting)).toBe(value)
})

test.each([
  [`E'\\xff'`, /Line 2: the escape sequence cannot be read: \\xff is not valid UTF-8/],
  [`E'\\u12'`, /Line 2: .*needs 4 or 8 hexadecimal digits/],
  [`E'\\ud800'`, /Line 2: .*surrogate/],
  [`B'10'::integer`, /Line 2: "integer" cannot be read/],
  ['now()', /Line 2: "now" cannot be read/],
  [`'a' || 'b'`, /Line 2: \) is missing before "\|"/],
  [`$a$ b`, /Line 2: a value cannot be read: it has no \$a\$ at its end. Is the file complete/],
])('the value %s is refused with its line', (literal, message) => {
  expect(() => readValue(literal)).toThrow(message)
})

describe('rows are found in', () => {
  test.each([
    [`INSERT INTO public."machines_history" ("id") VALUES ('a');`],
    [`insert into "public".machines_history(id)values('a');`],
    [`INSERT INTO MACHINES_HISTORY AS h (ID) OVERRIDING SYSTEM VALUE VALUES ('a') RETURNING id;`],
    [`INSERT INTO old.public.machines_history (id) VALUES\n\t('a')\nON CONFLICT DO NOTHING;`],
    [`SET search_path = public, pg_catalog; INSERT INTO machines_history (id) VALUES ('a');`],
    [`COPY public.machines_history (id) FROM stdin;\na\n\\.\n`],
    [`COPY machines_history (id) FROM STDIN WITH (FORMAT 'text', NULL 'x');\r\na\r\n\\.`],
    [`COPY machines_history (id) FROM stdin WITH (FORMAT csv, HEADER, QUOTE '''');\nid\n'a'\n\\.\n`],
  ])('%s', (dump) => {
    expect(read(dump)).toEqual([{ id: 'a' }])
  })

  test('an INSERT of default values, as a row without values', () => {
    expect(read('INSERT INTO accounts DEFAULT VALUES;')).toEqual([{}])
  })
})

describe('what looks like a row is skipped in', () => {
  const fake = `INSERT INTO machines_history (id) VALUES ('fake');`
  test.each([
    ['another schema', `INSERT INTO cron.machines_history (id) VALUES ('fake');`],
    [
      'another schema with unread values',
      `INSERT INTO cron.job (a) VALUES (now() - interval '1 day', ARRAY['it''s']);`,
    ],
    ['another search path', `SET search_path = cron, pg_catalog; ${fake} SET search_path = '';`],
    ['a name in quotes with capital letters', `INSERT INTO "Machines_history" (id) VALUES ('fake');`],
    ['a name of JavaScript', `INSERT INTO constructor (id) VALUES ('fake');`],
    ['an INSERT of default values of another table', `INSERT INTO elsewhere DEFAULT VALUES;`],
    [
      'a change of another table',
      `DELETE FROM elsewhere; UPDATE ONLY cron.job SET a = '${fake.replaceAll("'", "''")}';`,
    ],
    ['a change of a table before its rows', `DELETE FROM machines_history; UPDATE accounts SET id = 2;`],
    ['a string', `INSERT INTO elsewhere VALUES ('a\n${fake.replaceAll("'", "''")}\n');`],
    ['an escape string', `INSERT INTO elsewhere VALUES (E'\\'\n${fake.replaceAll("'", "\\'")}\n');`],
    ['a string, if standard_conforming_strings is off', `${off} SELECT '\\'\n${fake.replaceAll("'", "''")}';`],
    ['a dollar string', `DO $do$ BEGIN\n${fake}\nEND $do$;`],
    ['a comment', `-- a\n--${fake}\n/* /* */\n${fake}\n*/`],
    ['a rule', `CREATE RULE r AS ON INSERT TO elsewhere DO ALSO (SELECT 1;\n${fake}\n);`],
    [
      'a function',
      `CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END;\n${fake}\nEND;`,
    ],
    ['the data of COPY', `COPY elsewhere (a) FROM stdin;\n${fake}\nCOPY machines_history FROM stdin;\n\\.\n`],
    ['the data of COPY in CSV', `COPY elsewhere FROM stdin CSV;\n"it's\n${fake}\n\\.\n`],
    ['a command of psql', `\\restrict it's\n\\echo '${fake}`],
  ])('%s', (_, dump) => {
    expect(read(`${dump}\n${own}`)).toEqual([{ id: '1' }])
  })
})

test('the data of COPY is read with its escapes, lines, delimiter and NULL', () => {
  const columns = 'id, command'
  const copy = (options: string, ...lines: string[]) =>
    read(`COPY machines_history (${columns}) FROM stdin${options};\n${lines.join('\n')}\n\\.\n`).map(
      ({ id, command }) => [id, command],
    )
  expect(copy('', '\\N\t\\\\N', 'a\\tb\\nc\\101\\x41\\v\t', '\\\\\t\\xea\\xb0\\x80', 'a\\', 'b\tc')).toEqual([
    [null, '\\N'],
    ['a\tb\ncAA\v', ''],
    ['\\', '가'],
    ['a\nb', 'c'],
  ])
  expect(copy(" WITH (DELIMITER '|', NULL '-')", '-|\\-', 'a\\|b|\\N')).toEqual([
    [null, '-'],
    ['a|b', 'N'],
  ])
  expect(copy(" DELIMITERS ',' WITH NULL AS ''", ',\\,')).toEqual([[null, ',']])
  expect(copy(" WITH DELIMITER AS ';' CSV NULL AS 'x' QUOTE AS '~' ESCAPE AS '\\'", 'x;~x~', '~a\\~;\nb~;')).toEqual([
    [null, 'x'],
    ['a~;\nb', ''],
  ])
})

test.each([
  ['COPY accounts (id) FROM stdin;\n1\n', /Line 1: the data of this COPY has no end. Is the file complete/],
  ['COPY accounts (id) FROM stdin;\n1\t2\n\\.\n', /Line 2: the row of accounts has 2 columns, not 1 \(id\)/],
  ["COPY accounts (id) FROM '/tmp/a.csv';", /Line 1: this COPY reads another file. Give that file/],
  ['COPY accounts FROM stdin WITH (FORMAT binary);', /Line 1: the format binary of COPY is not supported/],
  ['COPY accounts FROM stdin WITH (FORCE_NULL (a));', /Line 1: the option "force_null" of COPY is not supported/],
  ['\n\\copy accounts from a.csv', /Line 2: \\copy accounts from a.csv reads another file/],
  [
    `INSERT INTO accounts (id) VALUES (1);\nUPDATE ONLY public.accounts SET id = 2;`,
    /Line 2: UPDATE of rows is not supp/,
  ],
  [`COPY accounts (id) FROM stdin;\n1\n\\.\nDELETE FROM accounts;`, /Line 4: DELETE of rows is not supported/],
  [`INSERT INTO accounts (id) VALUES (1)`, /Line 1: ; is missing before the end of the file. Is the file complete/],
  ['/* a', /Line 1: the comment that begins here does not end/],
])('%j is refused with its line', (dump, message) => {
  expect(() => read(dump)).toThrow(message)
})

test('each row of an INSERT has its own line', () => {
  const dump = `INSERT INTO accounts (id) VALUES\n\t(1),\n\t(2);`
  expect(readRows(new Input([Buffer.from(dump)]), usualColumns).map(({ line }) => line)).toEqual([2, 3])
})

test('a literal of 8 MB in another table is skipped, and one in an old table is read', () => {
  const long = `it''s; ${'x'.repeat(8_000_000)}`
  const others = `INSERT INTO cron.job VALUES ('${long}', E'${long}', $$${long}$$);`
  const dump = `${others}\nINSERT INTO machines_history (id) VALUES ('${long}');`
  const rows = readRows(new Input([Buffer.from(dump)]), usualColumns)
  expect(rows.map(({ line, values }) => [line, values.id?.length])).toEqual([[2, long.length - 1]])
})
