// The client as it is packed, in a project of a stranger: the example type-checks there, and runs against the real Worker.
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { runExample } from './programs.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const bin = (name: string) => join(root, 'node_modules/.bin', name)

let world: World
let owner: Person
let project: string
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
  project = await mkdtemp(join(tmpdir(), 'tiebar-client-'))
  const modules = join(project, 'node_modules')
  await mkdir(join(modules, 'tiebar'), { recursive: true })
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', project], { cwd: root })
  const packed = join(project, stdout.trim().split('\n').at(-1) ?? '')
  await run('tar', ['xzf', packed, '-C', join(modules, 'tiebar'), '--strip-components=1'])
  await symlink(join(root, 'node_modules/@types'), join(modules, '@types'))
  await copyFile(join(import.meta.dirname, 'integration.ts'), join(project, 'integration.ts'))
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module' }))
  await writeFile(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: ['node'] },
      include: ['integration.ts', 'node_modules/tiebar/dist'],
    }),
  )
})
afterAll(async () => {
  if (project) await rm(project, { recursive: true })
})

test('the example type-checks against the packed client, whose own types are checked with it', async () => {
  await expect(run(bin('tsc'), ['-p', project])).resolves.toMatchObject({ stdout: '' })
})

test('the client runs in a Worker', async () => {
  const entry = `
    import { createClient } from './client.js'
    export default {
      async fetch(request) {
        const { baseUrl, ...credentials } = await request.json()
        const client = createClient({ baseUrl })
        const { username } = await client.logIn(credentials)
        const names = []
        for await (const { name } of client.machines.list({ owner_id: 'me', limit: 1 })) names.push(name)
        return Response.json({ username, names })
      },
    }`
  const client = join(project, 'node_modules/tiebar/dist/client')
  const files = (await readdir(client)).filter((name) => name.endsWith('.js'))
  const read = async (name: string) => ({
    type: 'ESModule' as const,
    path: name,
    contents: await readFile(join(client, name), 'utf8'),
  })
  const modules = [
    { type: 'ESModule' as const, path: 'worker.js', contents: entry },
    ...(await Promise.all(files.map(read))),
  ]
  const worker = { name: 'stranger', modules, compatibilityDate: '2026-11-01' }
  const runtime = new Miniflare(convertV4MiniflareOptions({ workers: [worker] }))
  try {
    const person = await world.signUp()
    for (const name of ['one', 'other']) await world.createMachine(person, { name })
    const { username, password } = person
    const answer = await runtime.dispatchFetch('http://worker/', {
      method: 'POST',
      body: JSON.stringify({ baseUrl: world.url, username, password }),
    })
    expect(await answer.json()).toEqual({ username, names: ['one', 'other'] })
  } finally {
    await runtime.dispose()
  }
})

test('the example starts every machine and tells what came of each', async () => {
  const machines: string[] = []
  const make = async (name: string, overrides: object = {}) => {
    machines.push(name)
    return world.createMachine(owner, { name, ...overrides })
  }
  await make('obeys')
  const warm = await make('warms up')
  warm.behave({ mode: 'warm-up', after_ms: 300 })
  const stubborn = await make('refuses')
  stubborn.behave({ mode: 'refuse', detail: 'the safety gate is open' })
  await make('has no controller', { controller_url: null })
  for (const name of ['6th', '7th']) await make(name) // on a second page
  await world.createMachine(await world.signUp(), { name: 'somebody else’s' })

  const example = runExample('integration.ts', [owner.username, owner.password], { TIEBAR_URL: world.url }, project)
  await example.waitFor(/7th/)
  expect(example.lines).toEqual([
    `signed in as ${owner.username}`,
    'obeys: running (SUCCESS)',
    expect.stringMatching(/^warms up: running \(/),
    `refuses: START of machine ${stubborn.id} ended FAILED: REMOTEFAILED, refused, the safety gate is open`,
    'has no controller: no_controller',
    '6th: running (SUCCESS)',
    '7th: running (SUCCESS)',
  ])
  expect(await example.ended).toBe(0)
})
