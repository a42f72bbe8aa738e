// The local platform in one process, with a small Worker in place of the API, and the sweep.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createTempDir, exists, startRecordingNeon, until } from './fixtures.ts'
import { startHttpServer } from './http.ts'
import { type LocalOptions, startLocal } from './local.ts'
import { startSweep } from './sweep.ts'

// A first start creates a PostgreSQL cluster, and wrangler is slow, too.

/** Answers with its bindings. */
const worker = `export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url)
    if (pathname === '/api/health') return Response.json({ status: 'ok' })
    return Response.json(env)
  },
}`

async function writeTestWorker(): Promise<string> {
  const dir = await createTempDir()
  await writeFile(join(dir, 'worker.js'), worker)
  const path = join(dir, 'wrangler.toml')
  await writeFile(path, 'name = "small"\nmain = "worker.js"\ncompatibility_date = "2026-11-01"\n')
  await writeFile(join(dir, '.dev.vars'), 'PUBLIC_URL=from-dev-vars\n')
  return path
}

async function startTestLocal(options: Partial<LocalOptions> = {}) {
  const dir = await createTempDir()
  const local = await startLocal({ dir, port: 0, env: {}, wranglerConfig: await writeTestWorker(), ...options })
  onTestFinished(() => local.close())
  return local
}

describe('the local platform', () => {
  test('gives the Worker every binding, writes its address, and frees its port at the end', async () => {
    const titles: string[] = []
    const local = await startTestLocal({
      progress: {
        step(title, work) {
          titles.push(title)
          return work()
        },
        print: () => undefined,
      },
    })
    expect(titles).toEqual([
      'PostgreSQL',
      'Redis',
      'QStash',
      'machine controller',
      'migrations',
      'demo data',
      'wrangler dev',
    ])
    const { postgres, redis, qstash } = local.file
    expect(await (await fetch(`${local.api}/env`)).json()).toEqual({
      DATABASE_URL: postgres.database_url,
      NEON_FETCH_ENDPOINT: postgres.fetch_endpoint,
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: redis.token,
      QSTASH_URL: qstash.url,
      QSTASH_TOKEN: qstash.token,
      QSTASH_CURRENT_SIGNING_KEY: qstash.current_signing_key,
      QSTASH_NEXT_SIGNING_KEY: qstash.next_signing_key,
      PUBLIC_URL: local.api,
      JWT_KEYS: JSON.stringify(JSON.parse(await readFile(local.files.keys, 'utf8'))),
      ALLOW_PRIVATE_CONTROLLERS: 'true',
      SIGN_UPS_PER_ADDRESS: '100000',
      ALLOWED_ORIGINS: '',
    })
    expect(JSON.parse(await readFile(local.files.platform, 'utf8'))).toMatchObject({ api: local.api })
    await local.close()
    await expect(fetch(local.api)).rejects.toThrow('fetch failed')
    expect(await readFile(local.files.wranglerLog, 'utf8')).toContain(`Ready on ${local.api}`)
  })

  test('stops when the Worker cannot start, and reports its log', async () => {
    const dir = await createTempDir()
    const wranglerConfig = await writeTestWorker()
    await rm(join(wranglerConfig, '../worker.js'))
    const printed: string[] = []
    const progress = {
      step: <Result>(_title: string, work: () => Promise<Result>) => work(),
      print: (text: string) => void printed.push(text),
    }
    await expect(startTestLocal({ dir, wranglerConfig, progress })).rejects.toThrow(
      /wrangler dev has exited.*worker\.js/s,
    )
    expect(printed.join('\n')).toContain('wrangler │ ✘ [ERROR]')
    expect((await readdir(dir)).filter((name) => /lock|platform/.test(name))).toEqual([])
  })

  test('stops everything when it is stopped while the Worker starts', async () => {
    const dir = await createTempDir()
    const stop = new AbortController()
    const starting = startTestLocal({ dir, signal: stop.signal })
    starting.catch(() => undefined)
    await until(() => exists(join(dir, 'wrangler.log')), 'wrangler')
    stop.abort(new Error('enough'))
    await expect(starting).rejects.toThrow('enough')
    expect((await readdir(dir)).filter((name) => /lock|platform/.test(name))).toEqual([])
  })

  test('writes no demo data with known passwords into a remote database', async () => {
    const neon = await startRecordingNeon()
    const local = await startTestLocal({ env: neon.env })
    expect(local.accounts).toEqual([])
    const asked = neon.asked.join('\n')
    expect(asked).toContain('__drizzle_migrations')
    expect(asked).not.toMatch(/INSERT INTO accounts/i)
  })
})

describe('the sweep', () => {
  test('calls the scheduled handler repeatedly, and reports an error once', async () => {
    const statuses = [200, 500, 500, 200, 500]
    const targets: string[] = []
    const server = await startHttpServer('worker', async ({ target }) => {
      targets.push(target)
      return { status: statuses.shift() ?? 200 }
    })
    onTestFinished(() => server.close())
    const printed: string[] = []
    const sweep = startSweep(server.url, 5, (text) => printed.push(text))
    await until(() => targets.length >= 6, 'six calls')
    await sweep.close()
    // The call that close() aborted may still arrive; the next one would arrive 5 ms later.
    await delay(50)
    const calls = targets.length
    expect(new Set(targets)).toEqual(new Set(['/cdn-cgi/handler/scheduled']))
    expect(printed).toEqual(Array(2).fill('the sweep failed: the scheduled handler answered 500'))
    await delay(50)
    expect(targets).toHaveLength(calls)
  })
})
