// Shared by the tests of the local platform.
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { startHttpServer } from './http.ts'

/** A folder that is deleted at the end of the test. */
export async function createTempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tiebar-test-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** Waits until `isSo`. @throws Error after a minute, or `deadlineMs` */
export async function until(isSo: () => boolean | Promise<boolean>, what: string, deadlineMs = 60_000): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await delay(25)
  }
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

type Query = { query: string }

/** The lock of the migrations is free: a run gets it by a row. Nothing else has rows. */
function answer({ query }: Query) {
  if (!query.includes('INSERT INTO drizzle.migration_lock')) return { fields: [], rows: [] }
  return { fields: [{ name: 'run', dataTypeID: 25 }], rows: [['this run']] }
}

/** A database endpoint that answers without rows, at an address that is not loopback, and its environment variables. */
export async function startRecordingNeon() {
  const asked: string[] = []
  const server = await startHttpServer('neon', async ({ body }) => {
    const text = body.toString()
    asked.push(text)
    const { queries, ...single }: { queries?: Query[] } & Query = JSON.parse(text)
    return { body: queries ? { results: queries.map(answer) } : answer(single) }
  })
  onTestFinished(() => server.close())
  const endpoint = `${server.url.replace('127.0.0.1', '0.0.0.0')}/sql`
  return { asked, env: { DATABASE_URL: 'postgresql://u:p@db.example/tiebar', NEON_FETCH_ENDPOINT: endpoint } }
}
