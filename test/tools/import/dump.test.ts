// Dumps of pg_dump, CSV files of psql, and invalid files.
import { describe, expect, test } from 'vitest'
import { readRows } from '../../../src/tools/import/dump.ts'
import { Input } from '../../../src/tools/import/input.ts'
import { usualColumns } from '../../../src/tools/import/tables.ts'

const read = (text: string) => readRows(new Input([Buffer.from(text)]), usualColumns)

describe('a dump', () => {
  test('returns the rows of the old tables with their line numbers, and skips everything else', () => {
    const dump = `--
-- PostgreSQL database dump
--
\\restrict abc
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);

INSERT INTO public.django_migrations VALUES (1, 'contenttypes', '0001_initial', '2024-01-01 00:00:00+00');
INSERT INTO public.injection_molding_machines VALUES (3, 'It''s; the (first), one', 'Hall 1', 1, 7);
INSERT INTO public.machines_history VALUES (9, 'START', '2024-05-01 09:30:00.123+09', 1, 3, 7);

SELECT pg_catalog.setval('public.accounts_id_seq', 7, true);
`
    expect(read(dump)).toEqual([
      {
        table: 'machines',
        line: 9,
        values: { id: '3', name: "It's; the (first), one", location: 'Hall 1', status: '1', owner_id: '7' },
      },
      {
        table: 'history',
        line: 10,
        values: {
          id: '9',
          command: 'START',
          request_datetime: '2024-05-01 09:30:00.123+09',
          result: '1',
          machine_id: '3',
          worker_id: '7',
        },
      },
    ])
  })

  test.each([
    [
      'names its columns',
      `INSERT INTO public.machines_history (id, worker_id, "command") VALUES (1, 2, 'STOP');`,
      [{ id: '1', worker_id: '2', command: 'STOP' }],
    ],
    [
      'has several rows in one statement',
      `INSERT INTO machines_history (id) VALUES\n\t(1),\n\t(2);`,
      [{ id: '1' }, { id: '2' }],
    ],
    [
      'has NULL, and the text NULL',
      `INSERT INTO machines_history (id, result) VALUES (NULL, 'NULL');`,
      [{ id: null, result: 'NULL' }],
    ],
    [
      'has line breaks and backslashes in texts',
      `INSERT INTO machines_history (id) VALUES ('a\nINSERT INTO \\n b');`,
      [{ id: 'a\nINSERT INTO \\n b' }],
    ],
    ['has escape strings', `INSERT INTO machines_history (id) VALUES (E'a\\n\\\\b''');`, [{ id: "a\n\\b'" }]],
    [
      'has casts and negative numbers',
      `INSERT INTO machines_history (id, x) VALUES ('1'::bigint, -2.5);`,
      [{ id: '1', x: '-2.5' }],
    ],
  ])('that %s is parsed', (_, text, values) => {
    expect(read(text).map((row) => row.values)).toEqual(values)
  })

  test.each([
    [
      'too few columns',
      `INSERT INTO injection_molding_machines VALUES (1, 'a');`,
      /Line 1: .* has 2 columns, not 5.*--column-inserts/,
    ],
    ['an INSERT of a SELECT', `\nINSERT INTO accounts SELECT 1;`, /Line 2/],
    ['an end in the middle of a value', `INSERT INTO accounts VALUES (1, 'a`, /Line 1: a value cannot be read/],
    ['other tables only', `INSERT INTO elsewhere VALUES (1);`, /no row of accounts/],
    ['nothing', '', /no row of accounts/],
    ['a letter', 'Dear all,\nwe start at nine.', /neither a dump nor a CSV of the old tables/],
  ])('that has %s is refused', (_, text, message) => {
    expect(() => read(text)).toThrow(message)
  })
})

test('the header of a CSV identifies its table', () => {
  expect(read('id,Name,location,status,owner_id\r\n1,"a ""b"", c","two\nlines",2,\n')).toEqual([
    {
      table: 'machines',
      line: 3,
      values: { id: '1', name: 'a "b", c', location: 'two\nlines', status: '2', owner_id: null },
    },
  ])
  expect(read('\uFEFFid,username\n1,kim\n')[0]?.table).toBe('accounts')
  expect(read('id,request_datetime\n1,x\n')[0]?.table).toBe('history')
})
