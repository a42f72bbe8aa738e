// `npx wrangler dev`: it works with the `.dev.vars` of the platform, and without the platform its errors say what is missing.
// And the file itself.
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createClient, TiebarProblem } from '../../src/client/client.ts'
import { poll } from '../harness.ts'
import { writeDevVars } from './dev-vars.ts'
import { createTempDir, until } from './fixtures.ts'
import { holdPort } from './ports.ts'
import { spawnGroup } from './process-group.ts'
import { demoAccounts } from './seed.ts'

vi.setConfig({ testTimeout: 180_000 })

const root = join(import.meta.dirname, '../..')

/** A copy of the project by symbolic links, with a `.dev.vars` of its own. */
async function linkProject(): Promise<string> {
  const dir = join(await createTempDir(), 'project')
  await mkdir(dir)
  for (const name of ['wrangler.toml', 'package.json', 'node_modules', 'src', 'test', 'drizzle', 'dist']) {
    await symlink(join(root, name), join(dir, name))
  }
  return dir
}

/** Runs the command in a shell in that folder, without requests to the internet. */
function runInShell(command: string, cwd: string, env: Record<string, string> = {}) {
  const quiet = { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', CLOUDFLARE_CF_FETCH_ENABLED: 'false' }
  const group = spawnGroup('sh', ['-c', `exec ${command}`], {
    cwd,
    env: { PATH: process.env.PATH, HOME: join(cwd, '..'), ...quiet, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [group.child.stdout, group.child.stderr])
    stream?.on('data', (chunk) => (output += String(chunk)))
  const end = () => group.end(10_000)
  onTestFinished(end)
  const untilPrinted = (text: string) => until(() => output.includes(text) || group.child.exitCode !== null, text)
  return { end, untilPrinted, output: () => output }
}

test('works beside npm run platform, and says what is missing when that has stopped', async () => {
  const dir = await linkProject()
  const held = await holdPort(0)
  await held.release()
  const platform = runInShell('npm run platform', dir, { PORT: String(held.port) })
  await platform.untilPrinted('Ctrl-C stops')
  const command = /npx wrangler dev.*/.exec(platform.output())?.[0] ?? 'false'
  const worker = runInShell(command, dir)
  await worker.untilPrinted('Ready on')
  const url = `http://127.0.0.1:${held.port}`
  expect((await fetch(`${url}/api/health/ready`)).status).toBe(200)
  const client = createClient({ baseUrl: url, retries: 0 })
  const [{ username, password }] = demoAccounts
  await client.logIn({ username, password })
  const states: string[] = []
  for await (const { id } of client.machines.list({ sort: 'id' })) {
    states.push((await client.machines.start(id).done({ everySeconds: 0.05 })).state)
    break
  }
  // QStash has delivered it to PUBLIC_URL, and the demo's controllers have new ports after each start.
  expect(states).toEqual(['SUCCEEDED'])

  await platform.end()
  // The Worker remembers its readiness for 5 s.
  const readiness = await poll(async () => {
    const answer = await fetch(`${url}/api/health/ready`)
    return { isDone: answer.status === 503, value: answer }
  }, 'the readiness to be 503')
  const body = await readiness.text()
  expect(body.match(/"(postgres|redis|qstash)":{"status":"unavailable"/g)).toHaveLength(3)
  expect(body).toContain('npm run platform')
  const problem: unknown = await client.logIn({ username, password }).catch((error: unknown) => error)
  expect(problem).toMatchObject({ code: 'database_unavailable', type: expect.any(String) })
  const page = problem instanceof TiebarProblem ? problem.type : undefined
  expect(await (await fetch(page ?? '')).text()).toContain('`npm run platform`')
})

test('has the exact values, is readable by its owner alone, and is replaced by each run', async () => {
  const path = join(await createTempDir(), '.dev.vars')
  const variables = { PUBLIC_URL: 'http://127.0.0.1:9', JWT_KEYS: '[{"kid":"a#b"}]', DATABASE_URL: "it's $HOME" }
  expect(await writeDevVars(path, { PUBLIC_URL: 'http://127.0.0.1:8787' })).toBe(true)
  expect(await readFile(path, 'utf8')).toMatch(/: npx wrangler dev$/m)
  expect(await writeDevVars(path, variables)).toBe(true)
  expect(parseEnv(await readFile(path, 'utf8'))).toEqual(variables)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('that was written by hand is not changed', async () => {
  const path = join(await createTempDir(), '.dev.vars')
  await writeFile(path, 'PUBLIC_URL=mine\n')
  expect(await writeDevVars(path, { PUBLIC_URL: 'http://127.0.0.1:8787' })).toBe(false)
  expect(await readFile(path, 'utf8')).toBe('PUBLIC_URL=mine\n')
})
