// The environment: missing and invalid variables are named, and their values are never shown.
import { describe, expect, test } from 'vitest'
import { readEnvironment, runtimeStandIns, settingNames } from '../src/env.ts'
import { makeSigningKey } from './harness.ts'

const key = makeSigningKey('a')
const other = makeSigningKey('b')
const whole: Record<string, unknown> = {
  DATABASE_URL: 'postgresql://tiebar:password@db.example.com/tiebar?sslmode=require',
  UPSTASH_REDIS_REST_URL: 'https://redis.example.com',
  UPSTASH_REDIS_REST_TOKEN: 'redis-token',
  QSTASH_URL: 'https://qstash.example.com',
  QSTASH_TOKEN: 'qstash-token=',
  QSTASH_CURRENT_SIGNING_KEY: 'sig_current',
  QSTASH_NEXT_SIGNING_KEY: 'sig_next',
  PUBLIC_URL: 'https://api.example.com',
  JWT_KEYS: JSON.stringify([key]),
  ...runtimeStandIns,
}
const optional = {
  NEON_FETCH_ENDPOINT: 'http://127.0.0.1:5433/sql',
  ALLOW_PRIVATE_CONTROLLERS: 'true',
  ALLOWED_ORIGINS: 'https://app.example.com, http://localhost:5173',
  FAILED_LOG_INS_PER_NAME_AND_ADDRESS: '1',
  FAILED_LOG_INS_PER_NAME: '2',
  FAILED_LOG_INS_PER_ADDRESS: '3',
  SIGN_UP: 'closed',
  SIGN_UPS_PER_ADDRESS: '4',
  HISTORY_KEPT_DAYS: '9',
  REFUSALS_KEPT_DAYS: '10',
  MACHINES_PER_ACCOUNT: '5',
  SITES_PER_ACCOUNT: '8',
  KEYS_PER_ACCOUNT: '7',
  SESSIONS_PER_ACCOUNT: '6',
}

test('a complete environment is accepted, with defaults', () => {
  expect(readEnvironment(whole)).toMatchObject({
    PUBLIC_URL: 'https://api.example.com',
    JWT_KEYS: [key],
    ALLOW_PRIVATE_CONTROLLERS: false,
    ALLOWED_ORIGINS: [],
    FAILED_LOG_INS_PER_NAME_AND_ADDRESS: 10,
    FAILED_LOG_INS_PER_NAME: 100,
    FAILED_LOG_INS_PER_ADDRESS: 200,
    SIGN_UP: 'open',
    SIGN_UPS_PER_ADDRESS: 60,
    REFUSALS_KEPT_DAYS: 30,
    MACHINES_PER_ACCOUNT: 1_000,
    SESSIONS_PER_ACCOUNT: 100,
    KEYS_PER_ACCOUNT: 100,
    SITES_PER_ACCOUNT: 50,
  })
})

test('optional variables are accepted', () => {
  expect(readEnvironment({ ...whole, ...optional })).toMatchObject({
    NEON_FETCH_ENDPOINT: 'http://127.0.0.1:5433/sql',
    ALLOW_PRIVATE_CONTROLLERS: true,
    ALLOWED_ORIGINS: ['https://app.example.com', 'http://localhost:5173'],
    FAILED_LOG_INS_PER_NAME_AND_ADDRESS: 1,
    FAILED_LOG_INS_PER_NAME: 2,
    FAILED_LOG_INS_PER_ADDRESS: 3,
    SIGN_UP: 'closed',
    SIGN_UPS_PER_ADDRESS: 4,
    HISTORY_KEPT_DAYS: 9,
    REFUSALS_KEPT_DAYS: 10,
    MACHINES_PER_ACCOUNT: 5,
    SESSIONS_PER_ACCOUNT: 6,
    KEYS_PER_ACCOUNT: 7,
    SITES_PER_ACCOUNT: 8,
  })
})

test('the settings are the optional variables that belong to no service', () => {
  expect(settingNames).toEqual(Object.keys(optional).filter((name) => name !== 'NEON_FETCH_ENDPOINT'))
})

test.each(Object.keys(whole))('without %s only that variable is named as missing', (name) => {
  const { [name]: _, ...rest } = whole
  expect(readEnvironment(rest)).toEqual([{ name, fault: 'is missing' }])
})

test('all missing variables are named together', () => {
  const faults = readEnvironment({})
  expect(faults).toEqual(Object.keys(whole).map((name) => ({ name, fault: 'is missing' })))
})

/** Each invalid value contains `leak` where possible, so that a test can search the message for it. */
const bad: [string, unknown][] = [
  ['DATABASE_URL', 'leak'],
  ['DATABASE_URL', ''],
  ['DATABASE_URL', 'mysql://leak:leak@leak/leak'],
  ['DATABASE_URL', 'postgres://leak'],
  ['DATABASE_URL', 'postgres://leak/leak'],
  ['DATABASE_URL', 'postgres://leak@leak/'],
  // A URL that Neon's driver cannot parse: its error would quote the whole URL.
  ['DATABASE_URL', 'postgres://leak:leak@1.2.3.4.5/leak'],
  ['DATABASE_URL', 7],
  ['NEON_FETCH_ENDPOINT', 'leak'],
  ['NEON_FETCH_ENDPOINT', 'ftp://leak/'],
  ['UPSTASH_REDIS_REST_URL', 'leak'],
  ['UPSTASH_REDIS_REST_URL', 'redis://leak:6379'],
  ['UPSTASH_REDIS_REST_URL', 'https:leak'],
  ['UPSTASH_REDIS_REST_URL', ' https://leak'],
  ['UPSTASH_REDIS_REST_TOKEN', 'leak'],
  ['UPSTASH_REDIS_REST_TOKEN', ''],
  ['UPSTASH_REDIS_REST_TOKEN', 'leak leak leak'],
  ['UPSTASH_REDIS_REST_TOKEN', 'leakleakleak\n'],
  ['QSTASH_URL', 'leak'],
  ['QSTASH_URL', 'https://leak?leak'],
  ['QSTASH_TOKEN', 'leak'],
  ['QSTASH_CURRENT_SIGNING_KEY', 'leak'],
  ['QSTASH_NEXT_SIGNING_KEY', ''],
  ['PUBLIC_URL', 'leak'],
  ['PUBLIC_URL', ''],
  ['PUBLIC_URL', 'https://leak/'],
  ['PUBLIC_URL', 'https://leak/path'],
  ['PUBLIC_URL', 'https://leak?leak'],
  ['PUBLIC_URL', 'https://leak@leak'],
  ['PUBLIC_URL', 'ftp://leak'],
  ['JWT_KEYS', 'leak'],
  ['JWT_KEYS', ''],
  ['JWT_KEYS', '[]'],
  ['JWT_KEYS', '{}'],
  ['JWT_KEYS', 'null'],
  ['JWT_KEYS', '["leak"]'],
  ['JWT_KEYS', JSON.stringify([{ ...key, kty: 'leak' }])],
  ['JWT_KEYS', JSON.stringify([{ ...key, crv: 'leak' }])],
  ['JWT_KEYS', JSON.stringify([{ ...key, kid: '' }])],
  ['JWT_KEYS', JSON.stringify([{ ...key, d: 'leak' }])],
  ['JWT_KEYS', JSON.stringify([{ ...key, d: undefined }])],
  ['JWT_KEYS', JSON.stringify([{ ...key, x: 'leak'.repeat(20) }])],
  ['JWT_KEYS', JSON.stringify([{ ...key, x: other.x }])],
  ['JWT_KEYS', JSON.stringify([key, key])],
  ['JWT_KEYS', JSON.stringify([key, { ...key, kid: 'b' }, { ...key, kid: 'c' }])],
  ['ALLOW_PRIVATE_CONTROLLERS', 'leak'],
  ['ALLOW_PRIVATE_CONTROLLERS', 'yes'],
  ['ALLOWED_ORIGINS', 'leak'],
  ['ALLOWED_ORIGINS', 'https://app.example.com/,https://leak'],
  ['ALLOWED_ORIGINS', 'https://leak/leak'],
  ['ALLOWED_ORIGINS', 'https://leak.example.com/'],
  ['ALLOWED_ORIGINS', 'leak.example.com'],
  ['ALLOWED_ORIGINS', 'https://leak.example.com,*'],
  ['ALLOWED_ORIGINS', 'ftp://leak.example.com'],
  ['ALLOWED_ORIGINS', 'https://LEAK.example.com'],
  ['FAILED_LOG_INS_PER_NAME_AND_ADDRESS', 'leak'],
  ['FAILED_LOG_INS_PER_NAME', '0'],
  ['FAILED_LOG_INS_PER_ADDRESS', '-1'],
  ['SIGN_UPS_PER_ADDRESS', '1.5'],
  ['MACHINES_PER_ACCOUNT', '0'],
  ['SESSIONS_PER_ACCOUNT', 'leak'],
  ['KEYS_PER_ACCOUNT', '0'],
  ['REQUEST_RATE_LIMIT', 'leak'],
  ['REQUEST_RATE_LIMIT', {}],
  ['SIGN_IN_RATE_LIMIT', 'leak'],
  ['STREAM_RATE_LIMIT', 'leak'],
]

describe('an invalid value', () => {
  test.each(bad)('%s %j is named and not shown', (name, value) => {
    const faults = readEnvironment({ ...whole, [name]: value })
    expect(Array.isArray(faults) && faults.length > 0).toBe(true)
    for (const fault of Array.isArray(faults) ? faults : []) {
      expect(fault).toEqual({ name, fault: expect.stringMatching(/./) })
      expect(fault.fault).not.toMatch(/leak|is missing/)
    }
  })
})
