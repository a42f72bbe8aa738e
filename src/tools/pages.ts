// Fills the folder of static assets: bundles the console, and copies Swagger UI and ReDoc from their npm packages.
// Wrangler runs this before each start and deployment, and when a file of src changes (wrangler.toml). Nothing is written
// when the files are up to date. While `wrangler dev` runs, a console that does not compile leaves the pages as they are.
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { buildConsole, listConsoleSources } from './pages/console.ts'

const root = join(import.meta.dirname, '../..')
const targetDir = join(root, 'dist/assets')
const stamp = join(root, 'dist/assets.stamp')

const resolve = createRequire(import.meta.url).resolve
const swagger = dirname(resolve('swagger-ui-dist/package.json'))
const redoc = join(dirname(resolve('redoc/package.json')), 'bundles')
const ours = join(import.meta.dirname, 'pages')

/** Where each file that is copied comes from. */
const copies: Record<string, string> = {
  _headers: join(ours, '_headers'),
  'api/swagger/index.html': join(ours, 'swagger.html'),
  'api/swagger/start.js': join(ours, 'swagger.js'),
  'api/swagger/own.css': join(ours, 'swagger.css'),
  'api/swagger/index.css': join(swagger, 'index.css'),
  'api/swagger/swagger-ui.css': join(swagger, 'swagger-ui.css'),
  'api/swagger/swagger-ui-bundle.js': join(swagger, 'swagger-ui-bundle.js'),
  'api/swagger/swagger-ui-bundle.js.LICENSE.txt': join(swagger, 'swagger-ui-bundle.js.LICENSE.txt'),
  'api/swagger/favicon-32x32.png': join(swagger, 'favicon-32x32.png'),
  'api/docs/index.html': join(ours, 'docs.html'),
  'api/docs/start.js': join(ours, 'docs.js'),
  'api/docs/redoc.standalone.js': join(redoc, 'redoc.standalone.js'),
  'api/docs/redoc.standalone.js.LICENSE.txt': join(redoc, 'redoc.standalone.js.LICENSE.txt'),
}

async function writePages(): Promise<void> {
  const fingerprint = await fingerprintSources()
  if (await isComplete(fingerprint)) return
  const files: Record<string, Uint8Array | string> = {}
  for (const [name, source] of Object.entries(copies)) files[name] = await readSource(source)
  Object.assign(files, await buildConsole()) // the page comes last, after the files that it names
  await rm(stamp, { force: true })
  for (const [name, content] of Object.entries(files)) {
    const target = join(targetDir, name)
    await mkdir(dirname(target), { recursive: true })
    await writeAtomically(target, content)
  }
  await removeOthers(Object.keys(files))
  await writeAtomically(stamp, [fingerprint, ...Object.keys(files)].join('\n')) // last: the files are complete
}

/** ReDoc loads its vendor's logo from a CDN. The pages load nothing from elsewhere, so it becomes an empty image. */
const logoUrl = 'https://cdn.redoc.ly/redoc/logo-mini.svg'
const emptyImage = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='

/** @throws Error when ReDoc does not name the logo exactly once: then check what it loads */
async function readSource(path: string): Promise<Buffer | string> {
  if (!path.endsWith('redoc.standalone.js')) return readFile(path)
  const parts = (await readFile(path, 'utf8')).split(logoUrl)
  if (parts.length !== 2) throw new Error(`${path} does not name ${logoUrl} once`)
  return parts.join(emptyImage)
}

/** The stamp has the fingerprint in its first line, and then the name of every file. */
async function isComplete(fingerprint: string): Promise<boolean> {
  const [written, ...names] = (await readFile(stamp, 'utf8').catch(() => '')).split('\n')
  if (written !== fingerprint) return false
  const reads = names.map((name) => stat(join(targetDir, name)))
  return (await Promise.allSettled(reads)).every(({ status }) => status === 'fulfilled')
}

/** Bundles of earlier builds have other names. They must not be deployed. */
async function removeOthers(names: string[]): Promise<void> {
  const entries = await readdir(targetDir, { recursive: true, withFileTypes: true })
  const found = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const current = new Set(names.map((name) => join(targetDir, name)))
  for (const path of found) if (!current.has(path)) await rm(path, { force: true })
}

/** A digest of our own files, these programs included, and of the versions of the packages. */
async function fingerprintSources(): Promise<string> {
  const hash = createHash('sha256')
  const own = Object.values(copies).filter((source) => source.startsWith(ours))
  const read = [import.meta.filename, join(ours, 'console.ts'), ...own, ...(await listConsoleSources())]
  read.push(join(swagger, 'package.json'), join(redoc, '../package.json'))
  for (const path of read) hash.update(`\n${relative(root, path)}\n`).update(await readFile(path))
  return hash.digest('hex')
}

/** By renaming a draft: another run may write the same file, and a server may read it. */
async function writeAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const draft = join(root, 'dist', `${randomUUID()}.draft`)
  await writeFile(draft, content)
  await rename(draft, path)
}

/** After a failed build, `wrangler dev` answers no request, not even to the API. WRANGLER_COMMAND names the command. */
async function mayKeepPages(): Promise<boolean> {
  if (process.env.WRANGLER_COMMAND !== 'dev') return false
  return stat(stamp).then(
    () => true,
    () => false,
  )
}

try {
  await writePages()
} catch (error) {
  if (!(await mayKeepPages())) throw error
  console.error(error instanceof Error ? error.message : error)
  console.error('The pages are still those of the last build that succeeded.')
}
