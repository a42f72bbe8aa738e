// The types of Neon's SQL endpoint: parameters, PostgreSQL's own text, and the descriptions of fields.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresStandIn, startPostgres } from '../postgres.ts'
import { BACKENDS, post, run } from './world.ts'

/** SQL of one value, its type's oid, the type's size and modifier, and its text. */
type Case = [sql: string, oid: number, size: number, modifier: number, text: string]

const CASES: Case[] = [
  ["'-32768'::int2", 21, 2, -1, '-32768'],
  ['7::int4', 23, 4, -1, '7'],
  ['9223372036854775807::int8', 20, 8, -1, '9223372036854775807'],
  ['12345.6789::numeric', 1700, -1, -1, '12345.6789'],
  ['1.5::numeric(12, 6)', 1700, -1, 786442, '1.500000'],
  ['1.1::float4', 700, 4, -1, '1.1'],
  ['1e-20::float8', 701, 8, -1, '1e-20'],
  ["'NaN'::float8", 701, 8, -1, 'NaN'],
  ["'-infinity'::float4", 700, 4, -1, '-Infinity'],
  ["'[1,4]'::int4range", 3904, -1, -1, '[1,5)'],
  ["'NULL'::text", 25, -1, -1, 'NULL'],
  ['E\'tab\\t "quote" 사출기\'::text', 25, -1, -1, 'tab\t "quote" 사출기'],
  ["'abc'::varchar(5)", 1043, -1, 9, 'abc'],
  ["'2024-02-29'::date", 1082, 4, -1, '2024-02-29'],
  ["'12:34:56.789'::time", 1083, 8, -1, '12:34:56.789'],
  ["'12:34:56+02'::timetz", 1266, 12, -1, '12:34:56+02'],
  ["'2024-02-29 12:34:56.123456'::timestamp", 1114, 8, -1, '2024-02-29 12:34:56.123456'],
  ["'2024-02-29T12:34:56+09'::timestamptz", 1184, 8, -1, '2024-02-29 03:34:56+00'],
  ["'1 year 2 mons 3 days 04:05:06'::interval", 1186, 16, -1, '1 year 2 mons 3 days 04:05:06'],
  ['\' {"a":  [1,null]}\'::json', 114, -1, -1, ' {"a":  [1,null]}'],
  ['\'"text"\'::jsonb', 3802, -1, -1, '"text"'],
  ["'null'::jsonb", 3802, -1, -1, 'null'],
  ["decode(repeat('00ff', 32768), 'hex')", 17, -1, -1, `\\x${'00ff'.repeat(32768)}`],
  ["'08:00:2b:01:02:03'::macaddr", 829, 6, -1, '08:00:2b:01:02:03'],
  ["'192.168.0.0/24'::cidr", 650, -1, -1, '192.168.0.0/24'],
  ["'1.5,2'::point", 600, 16, -1, '(1.5,2)'],
  ["'<(1,2),3>'::circle", 718, 24, -1, '<(1,2),3>'],
  ['true', 16, 1, -1, 't'],
  ['false', 16, 1, -1, 'f'],
  ["'1 2'::int2vector", 22, -1, -1, '1 2'],
  ['pg_sleep(0)', 2278, 4, -1, ''],
  ["'{{1,2},{3,NULL}}'::int4[]", 1007, -1, -1, '{{1,2},{3,NULL}}'],
  ["'[0:1]={1,2}'::int2[]", 1005, -1, -1, '[0:1]={1,2}'],
  ["'{}'::text[]", 1009, -1, -1, '{}'],
  ["ARRAY['a', 'NULL', NULL, 'b\"\\c', '', '{,}']", 1009, -1, -1, '{a,"NULL",NULL,"b\\"\\\\c","","{,}"}'],
  ["'{t,f}'::bool[]", 1000, -1, -1, '{t,f}'],
  ["'{9223372036854775807}'::int8[]", 1016, -1, -1, '{9223372036854775807}'],
  ["'{1.5,NaN}'::float8[]", 1022, -1, -1, '{1.5,NaN}'],
  ["ARRAY['{\"a\": 1}', '[]']::jsonb[]", 3807, -1, -1, '{"{\\"a\\": 1}",[]}'],
  ["'{08:00:2b:01:02:03}'::macaddr[]", 1040, -1, -1, '{08:00:2b:01:02:03}'],
  ["'{10.0.0.0/8}'::cidr[]", 651, -1, -1, '{10.0.0.0/8}'],
  ["'{2024-02-29T00:00Z}'::timestamptz[]", 1185, -1, -1, '{"2024-02-29 00:00:00+00"}'],
  ["ARRAY['1,2']::point[]", 1017, -1, -1, '{"(1,2)"}'],
  ["ARRAY['<(1,2),3>']::circle[]", 719, -1, -1, '{"<(1,2),3>"}'],
  ["ARRAY['\\x00ff', '\\x']::bytea[]", 1001, -1, -1, '{"\\\\x00ff","\\\\x"}'],
]

describe.each(BACKENDS)('Values, with $name', ({ options }) => {
  let postgres: PostgresStandIn
  beforeAll(async () => {
    postgres = await startPostgres(options)
  })
  afterAll(() => postgres.close())

  test.each(CASES)('%s', async (sql, dataTypeID, dataTypeSize, dataTypeModifier, text) => {
    const query = `SELECT ${sql} AS v`
    const described = { name: 'v', dataTypeID, tableID: 0, columnID: 0, dataTypeSize, dataTypeModifier, format: 'text' }
    expect(await run(postgres, { query })).toMatchObject({ fields: [described], rows: [[text]] })
  })

  test('NULL is null, and a set gives rows', async () => {
    const query = 'SELECT n, NULL::int4[] AS none FROM generate_series(1, 3) AS n'
    expect((await run(postgres, { query })).rows).toEqual([
      ['1', null],
      ['2', null],
      ['3', null],
    ])
  })

  test('user-defined types are text', async () => {
    const queries = [
      { query: "CREATE TYPE mood AS ENUM ('calm', 'very busy')" },
      { query: 'CREATE DOMAIN yes AS bool CHECK (VALUE)' },
      { query: "SELECT 'calm'::mood, '{calm,\"very busy\"}'::mood[], true::yes" },
    ]
    const { text } = await post(postgres, { queries })
    expect(JSON.parse(text).results[2].rows).toEqual([['calm', '{calm,"very busy"}', 't']])
  })

  test('columns keep their names and their order, also two with one name', async () => {
    const { fields, rows } = await run(postgres, { query: 'SELECT 1 AS a, 2 AS "__proto__", 3 AS "1", 4 AS a' })
    expect(fields.map(({ name }) => name)).toEqual(['a', '__proto__', '1', 'a'])
    expect(rows).toEqual([['1', '2', '3', '4']])
  })

  test('parameters keep all digits of large numbers', async () => {
    const body = '{"query":"SELECT $1::int8, $2::jsonb","params":[9007199254740993,{"n":9007199254740993}]}'
    const { text } = await post(postgres, body)
    expect(JSON.parse(text).rows).toEqual([['9007199254740993', '{"n": 9007199254740993}']])
  })

  test('a parameter without a cast is text', async () => {
    const { fields, rows } = await run(postgres, { query: 'SELECT $1', params: ['5'] })
    expect([fields[0]?.dataTypeID, rows]).toEqual([25, [['5']]])
  })

  test.each([
    [null, null],
    ['', ''],
    ['it’s "so"', 'it’s "so"'],
    [true, 'true'],
    [-1.5, '-1.5'],
    [{ a: [1, 'x'] }, '{"a":[1,"x"]}'],
    [[], '{}'],
    [[1, null, true, 'NULL', 'a"b\\', [{ k: 'v' }]], '{1,NULL,true,"NULL","a\\"b\\\\",{"{\\"k\\":\\"v\\"}"}}'],
  ])('the parameter %j is bound as the text %j', async (param, text) => {
    expect((await run(postgres, { query: 'SELECT $1::text', params: [param] })).rows).toEqual([[text]])
  })

  test('PostgreSQL infers the types of parameters', async () => {
    const query = "SELECT $1::int4[] AS a, $2::jsonb -> 'b' AS b, $3::bool AS c, $4::bytea AS d, $5::text[] AS e"
    const params = [[[1, null]], { b: 2 }, false, '\\x00', ['a"b', 'c\\d', 'NULL', null]]
    expect((await run(postgres, { query, params })).rows).toEqual([
      ['{{1,NULL}}', '2', 'f', '\\x00', '{"a\\"b","c\\\\d","NULL",NULL}'],
    ])
    const { status, text } = await post(postgres, { query: 'SELECT $1::int4', params: ['1.5'] })
    expect([status, JSON.parse(text).code]).toEqual([400, '22P02'])
  })
})
