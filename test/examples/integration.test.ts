// Installs the packed client in a folder outside this project. Its example type-checks and runs there.
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { runCommandOf, runExample } from './programs.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const bin = (name: string) => join(root, 'node_modules/.bin', name)

/** The environment of a fresh clone: without the variables that the `npm` of these tests has set. */
const env = { PATH: process.env.PATH, HOME: process.env.HOME }

let world: World
let owner: Person
let project: string
let installed: string
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
  project = await mkdtemp(join(tmpdir(), 'tiebar-client-'))
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module' }))
  const { stdout } = await run('npm', ['run', '--silent', 'client:pack'], { cwd: root, env })
  const tarball = join(root, stdout.trim())
  await run('npm', ['install', '--offline', '--no-audit', tarball], { cwd: project, env })
  installed = join(project, 'node_modules/tiebar')
})
afterAll(async () => {
  if (project) await rm(project, { recursive: true })
})

test('installing the packed client adds one package, which contains everything that it runs', async () => {
  const modules = await readdir(join(project, 'node_modules'))
  expect(modules.filter((name) => !name.startsWith('.'))).toEqual(['tiebar'])
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  expect(manifest).toMatchObject({ name: 'tiebar', version, license: 'MIT' })
  expect(Object.keys(manifest).filter((name) => /dependencies|scripts/i.test(name))).toEqual([])
  expect(await readdir(installed)).toEqual(expect.arrayContaining(['LICENSE', 'CHANGELOG.md']))
})

test('npm pack of the project is refused and names the command that packs the client', async () => {
  await expect(run('npm', ['pack'], { cwd: root, env })).rejects.toMatchObject({
    stdout: expect.stringContaining('run: npm run client:pack'),
  })
  expect((await readdir(root)).filter((name) => name.endsWith('.tgz'))).toEqual([])
})

test('the example and the types of the packed client type-check', async () => {
  await symlink(join(root, 'node_modules/@types'), join(project, 'node_modules/@types'))
  await copyFile(join(import.meta.dirname, 'integration.ts'), join(project, 'integration.ts'))
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    strict: true,
    noUnusedLocals: true,
    noEmit: true,
    types: ['node'],
  }
  const include = ['integration.ts', 'node_modules/tiebar']
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include, exclude: [] }))
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
  const files = (await readdir(installed)).filter((name) => name.endsWith('.js'))
  const read = async (name: string) => ({
    type: 'ESModule' as const,
    path: name,
    contents: await readFile(join(installed, name), 'utf8'),
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

test('the example starts every machine and prints each outcome', async () => {
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

test('the command in its comment runs it in this project', async () => {
  const person = await world.signUp()
  await world.createMachine(person, { name: 'mine' })
  const words = { USERNAME: person.username, PASSWORD: person.password }
  const program = runCommandOf('integration.ts', { TIEBAR_URL: world.url }, words)
  expect(await program.ended).toBe(0)
  expect(program.lines).toEqual([`signed in as ${person.username}`, 'mine: running (SUCCESS)'])
})
