// The environments of wrangler.toml, and the table of variables in README.md: both agree with what the Worker reads.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { unstable_readConfig } from 'wrangler'
import { environmentNames, readEnvironment } from '../src/env.ts'
import { makeSigningKey } from './harness.ts'

const at = (path: string) => join(import.meta.dirname, '..', path)
const read = (path: string) => readFileSync(at(path), 'utf8')
const config = (env?: string) => unstable_readConfig({ config: at('wrangler.toml'), ...(env && { env }) })

/** `| name | kind | meaning | example or default |`; those of kind `local` are not the Worker's. */
const table = [...read('README.md').matchAll(/^\| `([A-Z_]+)` \| (\w+) \| .+ \| .+ \|$/gm)]
  .map(([, name = '', kind = '']) => ({ name, kind }))
  .filter(({ kind }) => kind !== 'local')
const sources = globSync('src/**/*.ts', { cwd: at('.') }).filter((path) => !/^src\/(env\.ts|tools\/)/.test(path))

describe('the table of variables in README.md', () => {
  test('has every name that the Worker knows, once', () => {
    expect(table.map(({ name }) => name).toSorted()).toEqual(environmentNames.toSorted())
  })

  test('says of each whether it can be left out, as the Worker sees it', () => {
    const faults = readEnvironment({})
    const needed = Array.isArray(faults) ? faults.map(({ name }) => name) : []
    const told = table.filter(({ kind }) => kind === 'secret').map(({ name }) => name)
    expect([...told, 'PUBLIC_URL', 'ACCOUNT_RATE_LIMIT'].toSorted()).toEqual(needed.toSorted())
  })

  test.each(table.map(({ name }) => name))('%s is used by the Worker', (name) => {
    expect(sources.filter((path) => read(path).includes(name))).not.toEqual([])
  })
})

describe.each(['staging', 'production'])('the environment %s', (env) => {
  test('has what an environment does not inherit: its vars and the limit', () => {
    const { vars, ratelimits, name } = config(env)
    const expected = table.filter(({ kind }) => kind === 'var').map(({ name }) => name)
    expect(Object.keys(vars).toSorted()).toEqual(expected.toSorted())
    expect(ratelimits).toMatchObject([{ name: 'ACCOUNT_RATE_LIMIT', simple: { limit: 1_000, period: 10 } }])
    expect(name).toBe(`tiebar-${env}`)
  })

  test('inherits cron, pages, logs and the build', () => {
    const [whole, top] = [config(env), config()]
    for (const part of ['triggers', 'assets', 'observability', 'compatibility_date', 'main', 'build'] as const) {
      expect(whole[part]).toEqual(top[part])
    }
    expect(whole.triggers.crons).toEqual(['* * * * *'])
    expect(whole.observability?.enabled).toBe(true)
  })

  test('is whole with the secrets of the table', () => {
    const secrets = {
      DATABASE_URL: 'postgresql://user:password@host.example/db',
      UPSTASH_REDIS_REST_URL: 'https://redis.example.com',
      UPSTASH_REDIS_REST_TOKEN: 'redis-token',
      QSTASH_URL: 'https://qstash.example.com',
      QSTASH_TOKEN: 'qstash-token',
      QSTASH_CURRENT_SIGNING_KEY: 'sig_current',
      QSTASH_NEXT_SIGNING_KEY: 'sig_next',
      JWT_KEYS: JSON.stringify([makeSigningKey('a')]),
    }
    const limiter = { limit: async () => ({ success: true }) }
    const environment = readEnvironment({ ...config(env).vars, ...secrets, ACCOUNT_RATE_LIMIT: limiter })
    expect(environment).toMatchObject({ ALLOW_PRIVATE_CONTROLLERS: false, ALLOWED_ORIGINS: [] })
    expect(
      table
        .filter(({ kind }) => kind === 'secret')
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(Object.keys(secrets).toSorted())
  })
})
