// Errors of Neon's SQL endpoint: those of PostgreSQL, invalid requests, limits, and what the stand-in does not implement.
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresStandIn, startPostgres } from '../postgres.ts'
import { BACKENDS, fail, run } from './world.ts'

const MIB = 1024 * 1024

/** Every key except the message, without values. */
const NOTHING = {
  severity: '',
  code: '',
  detail: null,
  hint: null,
  position: null,
  internalPosition: null,
  internalQuery: null,
  where: null,
  schema: null,
  table: null,
  column: null,
  dataType: null,
  constraint: null,
  file: null,
  line: null,
  routine: null,
}

describe.each(BACKENDS)('Errors of POST /sql, with $name', ({ options }) => {
  let postgres: PostgresStandIn
  beforeAll(async () => {
    postgres = await startPostgres(options)
  })
  afterAll(() => postgres.close())

  test('are those of the extended protocol, also without parameters', async () => {
    const none = await fail(postgres, { query: 'SELECT $1', params: [] })
    expect(none.status).toBe(400)
    expect(none.body.message).toMatch(/^bind message supplies 0 parameters/)
    expect(none.body.code).toBe('08P01')
    const two = await fail(postgres, { query: 'SELECT 1; SELECT 2' })
    expect(two.body).toMatchObject({ code: '42601', message: expect.stringMatching(/multiple commands/) })
  })

  test('have every key, null without a value', async () => {
    const { status, body } = await fail(postgres, { query: 'SELECT\n  nothing' })
    expect(status).toBe(400)
    expect(body).toEqual({
      ...NOTHING,
      message: 'column "nothing" does not exist',
      severity: 'ERROR',
      code: '42703',
      position: '10',
      file: 'parse_relation.c',
      line: expect.stringMatching(/^\d+$/),
      routine: 'errorMissingColumn',
    })
  })

  test('have the position inside a function', async () => {
    const { body } = await fail(postgres, { query: "DO $$ BEGIN EXECUTE 'SELEC'; END $$" })
    expect(body).toMatchObject({ position: null, internalPosition: '1', internalQuery: 'SELEC' })
    expect(body.where).toMatch(/PL\/pgSQL function/)
  })

  test.each([
    ['SELECT 1', {}, 'could not parse the HTTP request body: '],
    ['{"query":"SELECT \\ud800"}', {}, 'could not parse the HTTP request body: lone surrogate'],
    ['{"query":1}', {}, 'could not parse the HTTP request body: data did not match any variant'],
    ['{"query":"SELECT 1","params":null}', {}, 'could not parse the HTTP request body: data did not match'],
    ['{"queries":[{"query":"SELECT 1"},{}]}', {}, 'could not parse the HTTP request body: data did not match'],
    ['{"query":"SELECT \\u0000"}', {}, 'error encoding message to server: string contains embedded null'],
    ['{"query":"SELECT 1"}', { 'Neon-Batch-Isolation-Level': 'serializable' }, 'invalid isolation level'],
    ['{"query":"SELECT 1"}', { 'Neon-Connection-String': '' }, 'invalid connection string'],
    ['{"query":"SELECT 1"}', { 'Neon-Connection-String': 'mysql://a:b@c/d' }, 'incorrect scheme'],
    ['{"query":"SELECT 1"}', { 'Neon-Connection-String': 'postgresql://a:b@c' }, 'missing database name'],
    ['{"query":"SELECT 1"}', { 'Neon-Connection-String': 'postgresql://a@c/d' }, 'missing authentication credentials'],
  ])('refuses %s with %j', async (payload, headers, message) => {
    const { status, body } = await fail(postgres, payload, headers)
    expect(status).toBe(400)
    expect(body).toEqual({ ...NOTHING, message: expect.stringContaining(message) })
  })

  test.each(['localhost', 'db.localhost.tiebar.test.example', 'other.localhost.tiebar.test'])(
    'refuses a connection string that names the host %s',
    async (host) => {
      const url = new URL(postgres.databaseUrl)
      url.hostname = host
      const { status, body } = await fail(postgres, { query: 'SELECT 1' }, { 'Neon-Connection-String': url.href })
      expect(status).toBe(400)
      expect(body).toEqual({ ...NOTHING, message: expect.stringMatching(`^invalid hostname: .*'${host}'`) })
    },
  )

  test('do not depend on the case of the host', async () => {
    const url = postgres.databaseUrl.replace('@db.localhost', '@DB.localhost')
    expect((await run(postgres, { query: 'SELECT 1' }, { 'Neon-Connection-String': url })).rows).toEqual([['1']])
  })

  test('refuses a request without a connection string', async () => {
    const response = await fetch(postgres.fetchEndpoint, { method: 'POST', body: '{"query":"SELECT 1"}' })
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ ...NOTHING, message: 'invalid header: neon-connection-string' })
  })

  test('refuses a request of more than 10 MiB with 413', async () => {
    const empty = JSON.stringify({ query: 'SELECT length($1)', params: [''] }).length
    const exactly = await run(postgres, { query: 'SELECT length($1)', params: ['x'.repeat(10 * MIB - empty)] })
    expect(exactly.rows).toEqual([[String(10 * MIB - empty)]])
    const { status, body } = await fail(postgres, {
      query: 'SELECT length($1)',
      params: ['x'.repeat(10 * MIB - empty + 1)],
    })
    expect(status).toBe(413)
    expect(body).toEqual({ ...NOTHING, message: 'request is too large (max is 10485760 bytes)' })
  })

  test('refuses a response of more than 10 MiB with 507 and undoes the batch', async () => {
    await postgres.query('CREATE TABLE large (n int)')
    const message = 'response is too large (max is 10485760 bytes)'
    const rows = { query: "SELECT repeat('x', 1048576) FROM generate_series(1, 10)" }
    expect(await fail(postgres, rows)).toEqual({ status: 507, body: { ...NOTHING, message } })
    // One character of text, but six of JSON: only the written answer is too large.
    const quoted = { query: 'SELECT repeat(chr(1), 2097152)' }
    expect(await fail(postgres, quoted)).toEqual({ status: 507, body: { ...NOTHING, message } })
    const half = { query: 'SELECT repeat(chr(1), 1048576)' }
    const batch = await fail(postgres, { queries: [{ query: 'INSERT INTO large VALUES (1)' }, half, half] })
    expect(batch.status).toBe(507)
    expect(await run(postgres, { query: 'SELECT n FROM large' })).toMatchObject({ rowCount: 0 })
  })

  test('are 501 for what is not implemented, which they name', async () => {
    const copies = ['COPY large TO STDOUT', ' /* a */ -- b\n copy large FROM STDIN']
    for (const query of copies) {
      const { status, body } = await fail(postgres, { query })
      expect([status, body.error]).toEqual([501, expect.stringContaining('COPY')])
    }
    const flags = { 'Neon-Raw-Text-Output': 'false' }
    const typed = await fail(postgres, { query: 'SELECT 1' }, flags)
    expect([typed.status, typed.body.error]).toEqual([501, expect.stringContaining('Neon-Raw-Text-Output')])
    const byQuery = await fail(postgres, { query: 'SELECT 1', arrayMode: false })
    expect([byQuery.status, byQuery.body.message]).toEqual([501, expect.stringContaining('arrayMode')])
    const bearer = await fail(postgres, { query: 'SELECT 1' }, { Authorization: 'Bearer token' })
    expect([bearer.status, bearer.body.error]).toEqual([501, expect.stringContaining('token')])
    const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }
    const [status, text] = await new Promise<[number | undefined, string]>((resolve, reject) => {
      const outgoing = request(new URL('/v2', postgres.fetchEndpoint).href, { headers: upgrade }, async (incoming) => {
        resolve([incoming.statusCode, Buffer.concat(await incoming.toArray()).toString()])
      })
      outgoing.on('error', reject).end()
    })
    expect([status, text]).toEqual([501, expect.stringContaining('WebSocket')])
  })
})
