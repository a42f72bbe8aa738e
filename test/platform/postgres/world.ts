// Shared by the tests of the PostgreSQL stand-in: both backends, and plain requests to Neon's endpoint.
import type { PostgresStandIn, PostgresStandInOptions } from '../postgres.ts'

/** PGlite, and a real server if LOCAL_POSTGRES_URL is set. */
export const BACKENDS: { name: string; options: PostgresStandInOptions }[] = [{ name: 'PGlite', options: {} }]

/** The address of the real server, for tests that need one. */
export const SERVER_URL = process.env.LOCAL_POSTGRES_URL || undefined

if (SERVER_URL !== undefined) BACKENDS.push({ name: 'a real server', options: { serverUrl: SERVER_URL } })

/** The flags of the driver: every value as text, rows as arrays. */
const RAW = { 'Neon-Raw-Text-Output': 'true', 'Neon-Array-Mode': 'true' }

export type WireField = {
  name: string
  dataTypeID: number
  tableID: number
  columnID: number
  dataTypeSize: number
  dataTypeModifier: number
  format: string
}

export type WireResult = {
  fields: WireField[]
  rows: unknown[]
  command: string
  rowCount: number | null
  rowAsArray: boolean
}

export type WireAnswer = { status: number; headers: Headers; text: string }

/** Sends a string unchanged, any other payload as JSON. */
export async function post(
  postgres: PostgresStandIn,
  payload: unknown,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<WireAnswer> {
  const response = await fetch(postgres.fetchEndpoint, {
    method: 'POST',
    headers: { 'Neon-Connection-String': postgres.databaseUrl, ...RAW, ...headers },
    body: typeof payload === 'string' ? payload : JSON.stringify(payload),
    signal,
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** Sends a request that is expected to fail. The body is JSON with every status. */
export async function fail(
  postgres: PostgresStandIn,
  payload: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, string | null> }> {
  const { status, text } = await post(postgres, payload, headers)
  return { status, body: JSON.parse(text) }
}

/** @throws Error with the body when the answer is not 200 */
export async function run(
  postgres: PostgresStandIn,
  payload: { query: string; params?: unknown[] },
  headers: Record<string, string> = {},
): Promise<WireResult> {
  const { status, text } = await post(postgres, payload, headers)
  if (status !== 200) throw new Error(`${status} ${text}`)
  return JSON.parse(text)
}

/** Asks again until `isTrue`, at most two minutes long. */
export async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 120_000
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error('what was waited for did not happen within two minutes')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
