// The command line as a user runs it: start, Ctrl-C, and what remains.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findBlock } from '../documents.ts'
import { runTool } from '../tools/programs.ts'
import { createTempDir, exists, startRecordingNeon, until } from './fixtures.ts'
import type { PlatformFile } from './platform.ts'

// A first start creates a PostgreSQL cluster, and wrangler is slow, too.

const main = join(import.meta.dirname, 'main.ts')

type Run = { child: ChildProcess; output(): string; exited: Promise<number | null> }

/** Runs the command line in its own folder, with only these environment variables. */
function run(args: string[], env: Record<string, string> = {}): Run {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  const child = spawn(process.execPath, [main, ...args], {
    cwd: env.LOCAL_DIR ?? import.meta.dirname,
    env: { PATH, HOME, NODE_COMPILE_CACHE, ...env },
    stdio: 'pipe',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk)
    })
  }
  const exited = once(child, 'close').then(() => child.exitCode)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return { child, output: () => output, exited }
}

async function untilReady({ child, output }: Run, dir: string): Promise<PlatformFile> {
  await until(() => output().includes('Ready') || child.exitCode !== null, 'Ready')
  // The platform wrote it, and `PlatformFile` is what it writes.
  return JSON.parse(await readFile(join(dir, 'platform.json'), 'utf8')) as PlatformFile
}

/** Runs a block of a document in a shell, where a request that is refused ends it. @returns what it printed */
async function runBlock(block: string, env: Record<string, string> = {}): Promise<string> {
  const script = `curl() { command curl --silent --show-error --fail-with-body "$@"; }\n${block}`
  const options = { env: { ...process.env, ...env } }
  return (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], options)).stdout
}

const namesOfRun = (names: string[]) => names.filter((name) => /lock|platform/.test(name))

describe('the command line', () => {
  test('prints its usage, and exits with 2 for unknown arguments', async () => {
    const help = run(['--help'])
    expect(await help.exited).toBe(0)
    expect(help.output()).toContain('platform')
    for (const args of [[], ['dance'], ['dev', '--what'], ['dev', 'platform']]) {
      const wrong = run(args)
      expect(await wrong.exited).toBe(2)
      expect(wrong.output()).toContain('usage:')
    }
  })

  test('prints an error in one line and exits with 1', async () => {
    const dir = await createTempDir()
    const half = run(['platform'], { LOCAL_DIR: dir, QSTASH_URL: 'http://127.0.0.1:9' })
    expect(await half.exited).toBe(1)
    expect(half.output()).toMatch(/^✗ QSTASH_URL is set, but not QSTASH_TOKEN.*\n$/)
    const port = run(['dev'], { LOCAL_DIR: dir, PORT: 'eighty' })
    expect(await port.exited).toBe(1)
    expect(port.output()).toMatch(/^✗ PORT must be a number.*\n$/)
    const { env } = await startRecordingNeon()
    const setting = run(['platform'], { ...env, LOCAL_DIR: dir, ALLOWED_ORIGINS: 'app.example.com' })
    expect(await setting.exited).toBe(1)
    expect(setting.output()).toMatch(/\n✗ ALLOWED_ORIGINS must be origins .*\n$/)
  })
})

describe('npm run platform', () => {
  test('starts, refuses a second run in its folder, stops at Ctrl-C, frees its ports, and keeps its data', async () => {
    const dir = await createTempDir()
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
    expect((await readdir(dir)).sort()).toEqual(['.dev.vars', 'keys.json', 'postgres', 'qstash.json'])
  })

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('stops at %s during its start, and exits with %i', async (signal, exitCode) => {
    const dir = await createTempDir()
    const platform = run(['platform'], { LOCAL_DIR: dir })
    await until(() => exists(join(dir, 'lock')), 'the lock')
    platform.child.kill(signal)
    expect(await platform.exited).toBe(exitCode)
    expect((await readdir(dir)).filter((name) => /lock|platform/.test(name))).toEqual([])
  })

  test('a killed run does not block the next one', async () => {
    const env = { LOCAL_DIR: await createTempDir() }
    const killed = run(['platform'], env)
    await until(() => killed.output().includes('Ready'), 'Ready')
    killed.child.kill('SIGKILL')
    await killed.exited
    const next = run(['platform'], env)
    await until(() => next.output().includes('Ready') || next.child.exitCode !== null, 'Ready')
    next.child.kill('SIGINT')
    expect(await next.exited).toBe(130)
  })
})

describe('npm run dev', () => {
  test('starts the API with the settings of the environment and accounts that can log in, and stops everything at Ctrl-C', async () => {
    const dir = await createTempDir()
    const origin = 'https://app.example.com'
    const dev = run(['dev'], { LOCAL_DIR: dir, PORT: '0', ALLOWED_ORIGINS: origin, FAILED_LOG_INS_PER_NAME: '7' })
    const { api } = await untilReady(dev, dir)
    expect(await (await fetch(`${api}/api/health/ready`)).json()).toMatchObject({ status: 'ok' })
    // The first address is where a newcomer goes: the console.
    const [, table = ''] = dev.output().split('\n\n')
    const [, first = ''] = /(https?:\S+)/.exec(table) ?? []
    expect([first, await (await fetch(first)).text()]).toEqual([
      `${api}/`,
      expect.stringContaining('<div id="console">'),
    ])
    const [, username, password] = /Log-in +(\S+) \/ (\S+)/.exec(dev.output()) ?? []
    const logIn = await fetch(`${api}/api/log-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify({ username, password }),
    })
    expect([logIn.status, logIn.headers.get('Access-Control-Allow-Origin')]).toEqual([200, origin])
    // The sweep comes by every 10 s, for which the doctor does not wait here.
    const doctor = await runTool('doctor', ['--cron-seconds', '0.1'], { env: { LOCAL_DIR: dir } })
    expect(doctor.stdout.match(/✗.*$/gm)?.map((line) => line.split(/\s+/)[1])).toEqual(['cron'])

    // What the documents say to do next.
    const session = findBlock('README.md', 'API=').replace('http://127.0.0.1:8787', api)
    const printed = await runBlock(session)
    for (const part of ['"next_cursor":', '"command":"START"', '"command":"STOP"']) expect(printed).toContain(part)
    const changes = findBlock('docs/live.md', 'API=').replace('http://127.0.0.1:8787', api)
    expect(await runBlock(changes)).toMatch(/^: connected\nid: \d+-\d+\.[\w-]+\n/)
    const faults = await runBlock(findBlock('CONTRIBUTING.md', 'CONTROL='), { LOCAL_DIR: dir })
    expect(faults).toContain('"deliver_twice"')

    dev.child.kill('SIGINT')
    expect(await dev.exited).toBe(130)
    await expect(fetch(api)).rejects.toThrow('fetch failed')
    const left = parseEnv(await readFile(join(dir, '.dev.vars'), 'utf8'))
    expect(left).toMatchObject({ PUBLIC_URL: api, ALLOWED_ORIGINS: origin, FAILED_LOG_INS_PER_NAME: '7' })
  })

  test.skipIf(process.platform !== 'linux')('reports it and stops everything when wrangler exits', async () => {
    const dir = await createTempDir()
    const { env } = await startRecordingNeon()
    const dev = run(['dev'], { ...env, LOCAL_DIR: dir, PORT: '0' })
    const { api } = await untilReady(dev, dir)
    const pid = dev.child.pid ?? 0
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
    process.kill(-Number.parseInt(children, 10), 'SIGKILL')
    expect(await dev.exited).toBe(1)
    expect(dev.output()).toMatch(/✗ wrangler dev has exited \(signal SIGKILL\)\. .*Ready on/s)
    await expect(fetch(api)).rejects.toThrow('fetch failed')
    expect(namesOfRun(await readdir(dir))).toEqual([])
  })

  test('stops the Worker even when it is killed', async () => {
    const dir = await createTempDir()
    const { env } = await startRecordingNeon()
    const dev = run(['dev'], { ...env, LOCAL_DIR: dir, PORT: '0' })
    const { api } = await untilReady(dev, dir)
    dev.child.kill('SIGKILL')
    const answers = () =>
      fetch(api).then(
        () => true,
        () => false,
      )
    await until(async () => !(await answers()), 'the end of the API')
  })
})
