// Copies Swagger UI and ReDoc from their npm packages to the folder of static assets. Wrangler runs this before each
// start and deployment (wrangler.toml). Nothing is copied when the files are up to date.
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const targetDir = join(root, 'dist/assets')
const stamp = join(root, 'dist/assets.stamp')

const resolve = createRequire(import.meta.url).resolve
const swagger = dirname(resolve('swagger-ui-dist/package.json'))
const redoc = join(dirname(resolve('redoc/package.json')), 'bundles')
const ours = join(import.meta.dirname, 'pages')

/** Where each file of the site comes from. */
const sources: Record<string, string> = {
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

async function copyPages(): Promise<void> {
  const fingerprint = await fingerprintSources()
  if ((await readFile(stamp, 'utf8').catch(() => '')) === fingerprint && (await isComplete())) return
  await rm(stamp, { force: true })
  for (const [name, source] of Object.entries(sources)) {
    const target = join(targetDir, name)
    await mkdir(dirname(target), { recursive: true })
    await writeAtomically(target, await readSource(source))
  }
  await writeAtomically(stamp, fingerprint) // last: it marks the copy as complete
}

/** ReDoc loads its maker's logo from a CDN. The pages load nothing from elsewhere, so it becomes an empty image. */
const logoUrl = 'https://cdn.redoc.ly/redoc/logo-mini.svg'
const emptyImage = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='

/** @throws Error when ReDoc names the logo no longer, or more than once: then check what else it loads */
async function readSource(path: string): Promise<Buffer | string> {
  if (!path.endsWith('redoc.standalone.js')) return readFile(path)
  const parts = (await readFile(path, 'utf8')).split(logoUrl)
  if (parts.length !== 2) throw new Error(`${path} does not name ${logoUrl} once`)
  return parts.join(emptyImage)
}

async function isComplete(): Promise<boolean> {
  const reads = Object.keys(sources).map((name) => stat(join(targetDir, name)))
  return (await Promise.allSettled(reads)).every(({ status }) => status === 'fulfilled')
}

/** The content of our own files, this one too, and the versions of the packages. */
async function fingerprintSources(): Promise<string> {
  const hash = createHash('sha256')
  const read = [import.meta.filename, ...Object.values(sources).filter((source) => source.startsWith(ours))]
  read.push(join(swagger, 'package.json'), join(redoc, '../package.json'))
  for (const path of read) hash.update(await readFile(path))
  return hash.digest('hex')
}

/** By renaming a draft: another run may write the same file, and a server may read it. */
async function writeAtomically(path: string, content: Buffer | string): Promise<void> {
  const draft = join(root, 'dist', `${randomUUID()}.draft`)
  await writeFile(draft, content)
  await rename(draft, path)
}

await copyPages()
