// The command line as a person uses it: start, Ctrl-C, and nothing is left. With a small Worker in place of the API.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { type LocalOptions, startLocal } from './local.ts'
import type { PlatformFile } from './platform.ts'
import { spawnGroup } from './process-group.ts'

const main = join(import.meta.dirname, 'main.ts')
const slowMs = 120_000

const endings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function aDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tiebar-main-'))
  endings.push(() => rm(dir, { recursive: true, force: true }))
  return dir
}

type Run = { child: ChildProcess; output(): string; exited: Promise<number | null> }

/** Runs the command line in an environment that names nothing but what is given. */
function run(args: string[], env: Record<string, string> = {}): Run {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [main, ...args], { env: { PATH, HOME, ...env }, stdio: 'pipe' })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    output += String(chunk)
  })
  const exited = once(child, 'close').then(() => child.exitCode)
  endings.push(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return { child, output: () => output, exited }
}

async function until(isSo: () => boolean | Promise<boolean>, what: string, deadlineMs = 60_000): Promise<void> {
  const givenUpAt = performance.now() + deadlineMs
  while (!(await isSo())) {
    if (performance.now() > givenUpAt) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await delay(25)
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

describe('the command line', () => {
  test('tells how it is used, and answers 2 to what it does not know', async () => {
    const help = run(['--help'])
    expect(await help.exited).toBe(0)
    expect(help.output()).toContain('platform')
    for (const args of [[], ['dance'], ['dev', '--what'], ['dev', 'platform']]) {
      const wrong = run(args)
      expect(await wrong.exited).toBe(2)
      expect(wrong.output()).toContain('usage:')
    }
  })

  test('says what is wrong in one line and answers 1', async () => {
    const dir = await aDir()
    const half = run(['platform'], { LOCAL_DIR: dir, QSTASH_URL: 'http://127.0.0.1:9' })
    expect(await half.exited).toBe(1)
    expect(half.output()).toMatch(/^✗ QSTASH_URL is set, but not QSTASH_TOKEN.*\n$/)
    const port = run(['dev'], { LOCAL_DIR: dir, PORT: 'eighty' })
    expect(await port.exited).toBe(1)
    expect(port.output()).toMatch(/^✗ PORT must be a number.*\n$/)
  })
})

describe('npm run platform', () => {
  test(
    'starts, refuses a second run in its folder, ends at Ctrl-C with its ports free, and keeps its data',
    async () => {
      const dir = await aDir()
      const env = { LOCAL_DIR: dir, PORT: '9123' }
      const platform = run(['platform'], env)
      await until(() => platform.output().includes('Ready') || platform.child.exitCode !== null, 'Ready')
      // The platform wrote it, and `PlatformFile` is what it writes.
      const file = JSON.parse(await readFile(join(dir, 'platform.json'), 'utf8')) as PlatformFile
      expect(file.api).toBe('http://127.0.0.1:9123')
      const urls = [file.postgres.fetch_endpoint, file.redis.url, file.qstash.url, file.controller]
      for (const url of urls) expect((await fetch(url)).status).toBeGreaterThanOrEqual(200)

      const second = run(['platform'], env)
      expect(await second.exited).toBe(1)
      expect(second.output()).toContain(`in use by process ${platform.child.pid}`)

      platform.child.kill('SIGINT')
      expect(await platform.exited).toBe(130)
      for (const url of urls) await expect(fetch(url)).rejects.toThrow('fetch failed')
      expect((await readdir(dir)).sort()).toEqual(['postgres', 'qstash.json'])
    },
    slowMs,
  )

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    'ends at %s during its start, with %i',
    async (signal, exitCode) => {
      const dir = await aDir()
      const platform = run(['platform'], { LOCAL_DIR: dir })
      await until(() => exists(join(dir, 'lock')), 'the lock')
      platform.child.kill(signal)
      expect(await platform.exited).toBe(exitCode)
      expect((await readdir(dir)).filter((name) => /lock|platform/.test(name))).toEqual([])
    },
    slowMs,
  )

  test(
    'a run that was killed does not stand in the way of the next',
    async () => {
      const env = { LOCAL_DIR: await aDir() }
      const killed = run(['platform'], env)
      await until(() => killed.output().includes('Ready'), 'Ready')
      killed.child.kill('SIGKILL')
      await killed.exited
      const next = run(['platform'], env)
      await until(() => next.output().includes('Ready') || next.child.exitCode !== null, 'Ready')
      next.child.kill('SIGINT')
      expect(await next.exited).toBe(130)
    },
    slowMs,
  )
})

/** Says what it was given; `/die` ends its process from within. */
const worker = `export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url)
    if (pathname === '/api/health') return Response.json({ status: 'ok' })
    return Response.json(env)
  },
}`

async function aWorker(source = worker): Promise<string> {
  const dir = await aDir()
  await writeFile(join(dir, 'worker.js'), source)
  const path = join(dir, 'wrangler.toml')
  await writeFile(path, 'name = "small"\nmain = "worker.js"\ncompatibility_date = "2026-11-01"\n')
  await writeFile(join(dir, '.dev.vars'), 'PUBLIC_URL=from-dev-vars\n')
  return path
}

async function aLocal(options: Partial<LocalOptions> = {}) {
  const dir = await aDir()
  const local = await startLocal({ dir, port: 0, env: {}, wranglerConfig: await aWorker(), ...options })
  endings.push(() => local.close())
  return local
}

describe('the whole of it', () => {
  test(
    'gives the Worker every binding, tells where it is, and frees its port at the end',
    async () => {
      const titles: string[] = []
      const local = await aLocal({
        progress: {
          step(title, work) {
            titles.push(title)
            return work()
          },
          say: () => undefined,
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
    },
    slowMs,
  )

  test(
    'a Worker that cannot start ends all of it, with its log',
    async () => {
      const dir = await aDir()
      const wranglerConfig = await aWorker('export default { fetch() { return new Response("no", { status: 500 }) } }')
      await rm(join(wranglerConfig, '../worker.js'))
      const told: string[] = []
      const progress = {
        step: <Result>(_title: string, work: () => Promise<Result>) => work(),
        say: (text: string) => void told.push(text),
      }
      await expect(aLocal({ dir, wranglerConfig, progress })).rejects.toThrow(
        /wrangler dev has ended by itself.*worker\.js/s,
      )
      expect(told.join('\n')).toContain('wrangler │ ✘ [ERROR]')
      expect((await readdir(dir)).filter((name) => /lock|platform/.test(name))).toEqual([])
    },
    slowMs,
  )

  test(
    'stopped while the Worker starts, it ends all of it',
    async () => {
      const dir = await aDir()
      const stop = new AbortController()
      const starting = aLocal({ dir, signal: stop.signal })
      starting.catch(() => undefined)
      await until(() => exists(join(dir, 'wrangler.log')), 'wrangler')
      stop.abort(new Error('enough'))
      await expect(starting).rejects.toThrow('enough')
      expect((await readdir(dir)).filter((name) => /lock|platform/.test(name))).toEqual([])
    },
    slowMs,
  )

  test(
    'writes no demo data with known passwords into a database elsewhere',
    async () => {
      const sql = { results: [{ rows: [] }, { rows: [] }, { rows: [{ newest: '9999999999999' }] }] }
      const asked: string[] = []
      const { startHttpServer } = await import('./http.ts')
      const neon = await startHttpServer('neon', async ({ body }) => {
        asked.push(body.toString())
        return { body: sql }
      })
      endings.push(() => neon.close())
      // A name that is not loopback's and yet leads here: the suffix `.test` is nobody's, so the address is spelled out.
      const elsewhere = neon.url.replace('127.0.0.1', '0.0.0.0')
      const env = { DATABASE_URL: 'postgresql://u:p@db.example/tiebar', NEON_FETCH_ENDPOINT: `${elsewhere}/sql` }
      const local = await aLocal({ env })
      expect(local.accounts).toEqual([])
      expect(asked).toHaveLength(1)
      expect(asked[0]).toContain('__drizzle_migrations')
    },
    slowMs,
  )
})

describe('a process group', () => {
  const family = ['-c', 'sleep 600 & echo $!; wait']

  async function aFamily(options: string[] = family) {
    const group = spawnGroup('sh', options, { stdio: ['ignore', 'pipe', 'inherit'] })
    endings.push(() => group.end(0))
    const { stdout } = group.child
    if (stdout === null) throw new TypeError('its output is a pipe')
    const [chunk] = await once(stdout, 'data')
    return { group, grandchild: Number(String(chunk)) }
  }

  /** Dead, or only waiting for its parent to take note. */
  async function isGone(pid: number): Promise<boolean> {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
    return stat.slice(stat.lastIndexOf(')')).startsWith(') Z')
  }

  test.skipIf(process.platform !== 'linux')('ends with its grandchildren', async () => {
    const { group, grandchild } = await aFamily()
    expect(await isGone(grandchild)).toBe(false)
    await group.end(5_000)
    expect(await group.exited).toBe('signal SIGTERM')
    await until(() => isGone(grandchild), 'the grandchild is gone', 2_000)
  })

  test.skipIf(process.platform !== 'linux')('is killed when it does not end in time', async () => {
    const { group, grandchild } = await aFamily(['-c', 'trap "" TERM; (trap "" TERM; sleep 600) & echo $!; wait'])
    await group.end(100)
    expect(await group.exited).toBe('signal SIGKILL')
    await until(() => isGone(grandchild), 'the grandchild is gone', 2_000)
  })
})
