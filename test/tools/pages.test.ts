// The program that writes the pages, when the console does not compile. It runs in a copy of the project.
import { execFile } from 'node:child_process'
import { appendFile, cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Ended } from './programs.ts'

// Bundling takes seconds on a busy computer.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

const project = join(import.meta.dirname, '../..')
/** Copied, because a bundle may contain nothing from outside the project. */
const copied = [
  'src/console',
  'src/client',
  'src/tools/pages',
  'src/tools/pages.ts',
  'node_modules/hono',
  'package.json',
]
const linked = ['esbuild', 'swagger-ui-dist', 'redoc']

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tiebar-pages-'))
  for (const path of copied) await cp(join(project, path), join(root, path), { recursive: true })
  for (const name of linked) await symlink(join(project, 'node_modules', name), join(root, 'node_modules', name))
})
afterAll(() => rm(root, { recursive: true, force: true }))

function writePages(command: 'dev' | 'deploy'): Promise<Ended> {
  const env = { ...process.env, WRANGLER_COMMAND: command }
  return promisify(execFile)(process.execPath, [join(root, 'src/tools/pages.ts')], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ended) => error,
  )
}

const main = () => join(root, 'src/console/main.tsx')
const listScripts = async () =>
  (await readdir(join(root, 'dist/assets/console'))).filter((name) => name.endsWith('.js'))

test('without earlier pages, a console that does not compile is an error', async () => {
  const good = await readFile(main(), 'utf8')
  await appendFile(main(), '\nthis is not a program\n')
  const { code, stderr } = await writePages('dev')
  expect([code, stderr]).toEqual([1, expect.stringMatching(/src\/console\/main\.tsx:\d+:\d+: ERROR/)])
  await writeFile(main(), good)
})

test('while wrangler dev runs, it is told and leaves the pages; a deployment fails', async () => {
  expect(await writePages('dev')).toEqual({ code: 0, stdout: '', stderr: '' })
  const scripts = await listScripts()
  expect(scripts).toHaveLength(1)
  const good = await readFile(main(), 'utf8')
  await appendFile(main(), '\nthis is not a program\n')
  const { code, stderr } = await writePages('dev')
  expect([code, stderr]).toEqual([0, expect.stringMatching(/src\/console\/main\.tsx:\d+:\d+: ERROR/)])
  expect(stderr).toContain('The pages are still those of the last build that succeeded.')
  expect(await listScripts()).toEqual(scripts)
  expect((await writePages('deploy')).code).toBe(1)

  await writeFile(main(), `${good}\nconsole.log('mended')\n`)
  expect(await writePages('dev')).toEqual({ code: 0, stdout: '', stderr: '' })
  const [mended = ''] = await listScripts()
  expect(await readFile(join(root, 'dist/assets/console', mended), 'utf8')).toContain('mended')
})
