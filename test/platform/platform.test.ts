// The local services: the configured ones, stand-ins for the others, and the file with their addresses.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runStatements } from '../../src/tools/statements.ts'
import { createTempDir } from './fixtures.ts'
import { loadSigningKeys } from './keys.ts'
import { type ProcessEnvironment, readNamedServices } from './named-services.ts'
import { type PlatformOptions, startPlatform } from './platform.ts'
import { defaultPort, holdPort, readPort } from './ports.ts'

async function startTestPlatform(options: Pick<PlatformOptions, 'dir'> & Partial<PlatformOptions>) {
  const platform = await startPlatform({ api: 'http://127.0.0.1:1', env: namedPostgres, ...options })
  onTestFinished(() => platform.close())
  return platform
}

const namedPostgres = {
  DATABASE_URL: 'postgresql://u:p@db.example/tiebar',
  NEON_FETCH_ENDPOINT: 'http://127.0.0.1:9/sql',
}
const namedRedis = { UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:9', UPSTASH_REDIS_REST_TOKEN: 'redis-token' }
const namedQStash = {
  QSTASH_URL: 'http://127.0.0.1:9',
  QSTASH_TOKEN: 'qstash-token',
  QSTASH_CURRENT_SIGNING_KEY: 'sig_1',
  QSTASH_NEXT_SIGNING_KEY: 'sig_2',
}

describe('a service in the environment', () => {
  test('is used if all its variables are set; empty variables count as not set', () => {
    expect(readNamedServices({})).toEqual({})
    expect(readNamedServices({ DATABASE_URL: '', NEON_FETCH_ENDPOINT: '' })).toEqual({})
    expect(readNamedServices({ ...namedPostgres, ...namedRedis, ...namedQStash })).toEqual({
      postgres: { database_url: namedPostgres.DATABASE_URL, fetch_endpoint: namedPostgres.NEON_FETCH_ENDPOINT },
      redis: { url: 'http://127.0.0.1:9', token: 'redis-token' },
      qstash: {
        url: 'http://127.0.0.1:9',
        token: 'qstash-token',
        current_signing_key: 'sig_1',
        next_signing_key: 'sig_2',
      },
    })
  })

  const complete: ProcessEnvironment = { ...namedPostgres, ...namedRedis, ...namedQStash }
  test.each(Object.keys(complete))('is an error with the name %s if only that is missing', (name) => {
    const env = { ...complete, [name]: undefined }
    expect(() => readNamedServices(env)).toThrow(new RegExp(`set, but not ${name}\\. Set all of`))
    expect(() => readNamedServices(env)).not.toThrow(/qstash-token|redis-token|u:p/)
  })

  test('that is set in part is an error before the folder is locked', async () => {
    const dir = await createTempDir()
    await expect(startPlatform({ dir, api: '', env: { QSTASH_URL: 'http://x' } })).rejects.toThrow('QSTASH_TOKEN')
    expect(await readdir(dir)).toEqual([])
  })
})

describe('the platform', () => {
  test('starts a stand-in for every other service and writes all addresses, readable by its owner alone', async () => {
    const dir = await createTempDir()
    const { file, controller } = await startTestPlatform({ dir })
    const path = join(dir, 'platform.json')
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(file)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(file).toEqual({
      api: 'http://127.0.0.1:1',
      postgres: { database_url: namedPostgres.DATABASE_URL, fetch_endpoint: namedPostgres.NEON_FETCH_ENDPOINT },
      redis: { url: expect.stringMatching(/^http:/), token: expect.any(String) },
      qstash: {
        url: expect.stringMatching(/^http:/),
        token: expect.any(String),
        current_signing_key: expect.stringMatching(/^sig_/),
        next_signing_key: expect.stringMatching(/^sig_/),
      },
      control: expect.stringMatching(/^http:/),
      controller: controller.url,
    })
    const pong = await fetch(`${file.redis.url}/ping`, { headers: { authorization: `Bearer ${file.redis.token}` } })
    expect(await pong.json()).toEqual({ result: 'PONG' })
    const keys = await fetch(`${file.qstash.url}/v2/keys`, {
      headers: { authorization: `Bearer ${file.qstash.token}` },
    })
    expect(await keys.json()).toEqual({ current: file.qstash.current_signing_key, next: file.qstash.next_signing_key })
    expect((await fetch(`${file.controller}/machines`)).status).toBe(200)
  })

  test('starts no stand-in for a configured service', async () => {
    const env = { ...namedPostgres, ...namedRedis, ...namedQStash }
    const { file } = await startTestPlatform({ dir: await createTempDir(), env })
    expect(file).toMatchObject({ redis: { url: 'http://127.0.0.1:9' }, qstash: { token: 'qstash-token' } })
  })

  test('stops every stand-in, deletes its file and releases the folder', async () => {
    const dir = await createTempDir()
    const platform = await startTestPlatform({ dir })
    await expect(startTestPlatform({ dir })).rejects.toThrow(`in use by process ${process.pid}`)
    await platform.close()
    for (const url of [platform.file.redis.url, platform.file.qstash.url, platform.file.controller]) {
      await expect(fetch(url)).rejects.toThrow('fetch failed')
    }
    const left = await readdir(dir)
    expect(left).not.toContain('platform.json')
    expect(left).not.toContain('lock')
    await startTestPlatform({ dir })
  })

  test('runs twice at the same time in different folders', async () => {
    const one = await startTestPlatform({ dir: await createTempDir() })
    const other = await startTestPlatform({ dir: await createTempDir() })
    const ports = [one, other].flatMap(({ file }) => [file.redis.url, file.qstash.url, file.controller])
    expect(new Set(ports).size).toBe(6)
  })

  test('deletes its files with fresh, and no others', async () => {
    const dir = await createTempDir()
    for (const name of ['keys.json', 'wrangler.log', 'notes.txt']) await writeFile(join(dir, name), '[]')
    await startTestPlatform({ dir, fresh: true })
    const left = await readdir(dir)
    expect(left).toContain('notes.txt')
    expect(left).not.toContain('keys.json')
    expect(left).not.toContain('wrangler.log')
  })

  test('stops what it has started when it is stopped during the start', async () => {
    const dir = await createTempDir()
    const stop = new AbortController()
    const progress = {
      async step<Result>(title: string, work: () => Promise<Result>) {
        if (title === 'QStash') stop.abort(new Error('enough'))
        return await work()
      },
      print: () => undefined,
    }
    await expect(startTestPlatform({ dir, signal: stop.signal, progress })).rejects.toThrow('enough')
    expect((await readdir(dir)).filter((name) => name === 'lock' || name === 'platform.json')).toEqual([])
    await startTestPlatform({ dir })
  })

  const serverUrl = process.env.LOCAL_POSTGRES_URL
  test.skipIf(!serverUrl)('keeps a database of its own on a real server until it starts over', async () => {
    const dir = await createTempDir()
    const env = { LOCAL_POSTGRES_URL: serverUrl }
    const count = async (fresh: boolean) => {
      const platform = await startPlatform({ dir, api: 'http://127.0.0.1:1', env, fresh })
      try {
        const [, , rows] = await runStatements(platform.file.postgres, [
          { query: 'CREATE TABLE IF NOT EXISTS kept (id int)' },
          { query: 'INSERT INTO kept VALUES (1)' },
          { query: 'SELECT count(*)::int AS count, current_database() AS name FROM kept' },
        ])
        return rows?.[0]
      } finally {
        await platform.close()
      }
    }
    const first = await count(false)
    onTestFinished(async () => {
      const client = new Client({ connectionString: serverUrl })
      await client.connect()
      await client.query(`DROP DATABASE "${first?.name}"`)
      await client.end()
    })
    expect(first).toMatchObject({ count: 1, name: expect.stringMatching(/^tiebar_[0-9a-f]{8}$/) })
    expect(await count(false)).toEqual({ ...first, count: 2 })
    expect(await count(true)).toEqual({ ...first, count: 1 })
  })
})

describe('the signing keys', () => {
  test('are created once, readable by their owner alone, and then kept', async () => {
    const path = join(await createTempDir(), 'keys.json')
    const keys = await loadSigningKeys(path)
    expect(keys).toEqual([
      { kty: 'OKP', crv: 'Ed25519', kid: expect.any(String), x: expect.any(String), d: expect.any(String) },
    ])
    expect(await loadSigningKeys(path)).toEqual(keys)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await writeFile(path, '{}')
    await expect(loadSigningKeys(path)).rejects.toThrow('Delete it')
  })
})

describe('the port of the API', () => {
  test('is read from PORT, and an invalid one is an error', () => {
    expect([readPort(undefined), readPort(''), readPort('0'), readPort('9000')]).toEqual([
      undefined,
      undefined,
      0,
      9000,
    ])
    for (const bad of ['x', '-1', '65536', '80.5', '0x50']) expect(() => readPort(bad)).toThrow('PORT must be a number')
  })

  test('that is requested and in use is a clear error', async () => {
    const held = await holdPort(0)
    expect(held.port, 'no outgoing connection is given this port').toBeLessThan(32_768)
    await expect(holdPort(held.port)).rejects.toThrow(`port ${held.port} is in use`)
    await held.release()
    const again = await holdPort(held.port)
    expect(again.port).toBe(held.port)
    await again.release()
  })

  test('is the next free one by default', async () => {
    const one = await holdPort()
    const other = await holdPort()
    expect(one.port).toBeGreaterThanOrEqual(defaultPort)
    expect(other.port).toBeGreaterThan(one.port)
    await one.release()
    await other.release()
  })

  test('is not one on which another program listens at every address', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, resolve))
    onTestFinished(async () => void server.close())
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    await expect(holdPort(port)).rejects.toThrow('is in use')
  })
})
