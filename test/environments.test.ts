// The environments of wrangler.toml and the table of variables in README.md agree with the Worker's variables.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { unstable_readConfig } from 'wrangler'
import { environmentNames, readEnvironment, runtimeStandIns } from '../src/env.ts'
import { makeSigningKey } from './harness.ts'

const at = (path: string) => join(import.meta.dirname, '..', path)
const read = (path: string) => readFileSync(at(path), 'utf8')
const config = (env?: string) => unstable_readConfig({ config: at('wrangler.toml'), ...(env && { env }) })

/** `| name | kind | meaning | example or default |`; the Worker does not read the kind `local`. */
const table = [...read('README.md').matchAll(/^\| `([A-Z_]+)` \| (\w+) \| .+ \| .+ \|$/gm)]
  .map(([, name = '', kind = '']) => ({ name, kind }))
  .filter(({ kind }) => kind !== 'local')
const sources = globSync('src/**/*.ts', { cwd: at('.') }).filter((path) => !/^src\/(env\.ts|tools\/)/.test(path))

describe('the table of variables in README.md', () => {
  test('has every variable of the Worker once', () => {
    expect(table.map(({ name }) => name).toSorted()).toEqual(environmentNames.toSorted())
  })

  test('agrees with the Worker on which variables are optional', () => {
    const faults = readEnvironment({})
    const needed = Array.isArray(faults) ? faults.map(({ name }) => name) : []
    const told = table.filter(({ kind }) => kind === 'secret').map(({ name }) => name)
    expect([...told, 'PUBLIC_URL', ...Object.keys(runtimeStandIns)].toSorted()).toEqual(needed.toSorted())
  })

  test.each(table.map(({ name }) => name))('%s is used by the Worker', (name) => {
    expect(sources.filter((path) => read(path).includes(name))).not.toEqual([])
  })
})

describe.each(['staging', 'production'])('the environment %s', (env) => {
  test('has its own vars and limit, which an environment does not inherit', () => {
    const { vars, ratelimits, name } = config(env)
    const expected = table.filter(({ kind }) => kind === 'var').map(({ name }) => name)
    expect(Object.keys(vars).toSorted()).toEqual(expected.toSorted())
    expect(ratelimits).toMatchObject([
      { name: 'REQUEST_RATE_LIMIT', simple: { limit: 1_000, period: 10 } },
      { name: 'SIGN_IN_RATE_LIMIT', simple: { limit: 100, period: 60 } },
      { name: 'STREAM_RATE_LIMIT', simple: { limit: 60, period: 60 } },
    ])
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

  test('is complete with the secrets of the table', () => {
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
    const environment = readEnvironment({ ...config(env).vars, ...secrets, ...runtimeStandIns })
    expect(environment).toMatchObject({ ALLOW_PRIVATE_CONTROLLERS: false, ALLOWED_ORIGINS: [] })
    expect(
      table
        .filter(({ kind }) => kind === 'secret')
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(Object.keys(secrets).toSorted())
  })
})
