// Our client of Neon's protocol beside Neon's own driver: neither the server nor whoever reads the answers can tell them
// apart.
import { type NeonQueryFunction, neon, neonConfig } from '@neondatabase/serverless'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DatabaseError, openNeon, type Statement } from '../../src/infra/neon.ts'
import { type StandInRequest, type StandInServer, startHttpServer } from '../platform/http.ts'
import { type PostgresStandIn, startPostgres } from '../platform/postgres.ts'

const readers = new Map([[23, Number]])
const types = { getTypeParser: (typeId: number) => readers.get(typeId) ?? ((text: string) => text) }
const never = new AbortController().signal

let postgres: PostgresStandIn
let wire: StandInServer
let seen: StandInRequest[] = []
let driver: NeonQueryFunction<false, false>
let ours: ReturnType<typeof openNeon>
beforeAll(async () => {
  postgres = await startPostgres()
  wire = await startHttpServer('wire', async (request) => {
    seen.push(request)
    const headers = Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) =>
        name.startsWith('neon-') ? [[name, String(value)]] : [],
      ),
    )
    const response = await fetch(postgres.fetchEndpoint, {
      method: 'POST',
      headers,
      body: new Uint8Array(request.body),
    })
    return { status: response.status, body: await response.text() }
  })
  neonConfig.fetchEndpoint = `${wire.url}/sql`
  driver = neon(postgres.databaseUrl)
  ours = openNeon(postgres.databaseUrl, readers, `${wire.url}/sql`)
  await postgres.query('CREATE TABLE parts (id int PRIMARY KEY, name text)')
})
afterAll(async () => {
  await wire?.close()
  await postgres?.close()
})

/** What the driver sends and gets, and what we do. */
async function both(...statements: Statement[]) {
  const run = async (call: () => Promise<unknown>) => {
    seen = []
    const outcome = await call().catch((error: unknown) => error)
    const { body, headers = {} } = seen[0] ?? {}
    const connection = new URL(String(headers['neon-connection-string']))
    connection.searchParams.delete('application_name') // each says its own name
    const flags = ['neon-raw-text-output', 'neon-array-mode', 'neon-batch-isolation-level'].map((name) => headers[name])
    return { outcome, sent: body?.toString(), connection: connection.href, flags }
  }
  const [only] = statements
  const theirs = await run(async () => {
    const queries = statements.map(({ sql, params }) => driver.query(sql, params, { types }))
    return statements.length === 1 ? queries[0] : (await driver.transaction(queries)).at(-1)
  })
  if (!only) throw new TypeError('no statement')
  return { theirs, ours: await run(() => ours(statements, never)) }
}

const awkward = ['a"b', 'c\\d', 'e,f', '{g}', 'NULL', '', ' h ', '사출기']

test.each<[what: string, Statement[]]>([
  ['no parameter', [{ sql: 'SELECT 1 AS one, NULL AS nothing', params: [] }]],
  [
    'text, numbers, booleans and null',
    [{ sql: 'SELECT $1::text, $2::int, $3::boolean, $4::text', params: ['x', 7, true, null] }],
  ],
  ['an array of awkward texts', [{ sql: 'SELECT unnest($1::text[]) AS each', params: [awkward] }]],
  ['arrays of numbers and of nothing', [{ sql: 'SELECT $1::int[] AS some, $2::text[] AS none', params: [[1, 2], []] }]],
  ['no row', [{ sql: 'SELECT 1 AS one WHERE false', params: [] }]],
  [
    'a transaction',
    [
      { sql: 'INSERT INTO parts VALUES (1, $1)', params: ['bar'] },
      { sql: 'SELECT * FROM parts', params: [] },
      { sql: 'DELETE FROM parts RETURNING id AS gone', params: [] },
    ],
  ],
])('%s is sent alike and read alike', async (_, statements) => {
  const { theirs, ours } = await both(...statements)
  expect(ours).toEqual(theirs)
  expect(ours.outcome).toBeInstanceOf(Array)
})

test('what PostgreSQL refuses bears the same code and constraint', async () => {
  await postgres.query('INSERT INTO parts VALUES (2) ON CONFLICT DO NOTHING')
  const { theirs, ours } = await both({ sql: 'INSERT INTO parts VALUES (2)', params: [] })
  const facts = ({ message, code, constraint }: Record<string, unknown>) => ({ message, code, constraint })
  expect(ours.outcome).toBeInstanceOf(DatabaseError)
  expect(facts(ours.outcome as never)).toEqual(facts(theirs.outcome as never)) // errors both
  expect(facts(ours.outcome as never)).toMatchObject({ code: '23505', constraint: 'parts_pkey' }) // as above
})

test('without an endpoint both look for it at the same place', async () => {
  const databaseUrl = 'postgresql://user:p%40ss@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech/db'
  const asked: string[] = []
  const ownFetch = globalThis.fetch
  globalThis.fetch = async (input) => {
    asked.push(String(input))
    return Response.json({ fields: [], rows: [] })
  }
  const { fetchEndpoint } = neonConfig
  try {
    neonConfig.fetchEndpoint = undefined as never // back to the driver's own rule, which its types leave out
    await neon(databaseUrl).query('SELECT 1')
    await openNeon(databaseUrl, readers)([{ sql: 'SELECT 1', params: [] }], never)
  } finally {
    globalThis.fetch = ownFetch
    neonConfig.fetchEndpoint = fetchEndpoint
  }
  expect(asked).toEqual(Array(2).fill('https://api.us-east-2.aws.neon.tech/sql'))
})
