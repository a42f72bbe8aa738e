// Gathers the documentation pages, Swagger UI and ReDoc, from their npm packages into the folder that wrangler serves
// static assets from. Runs before each start and deployment (wrangler.toml); does nothing when all is there.
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

async function gather(): Promise<void> {
  const fingerprint = await fingerprintSources()
  if ((await readFile(stamp, 'utf8').catch(() => '')) === fingerprint && (await isWhole())) return
  await rm(stamp, { force: true })
  for (const [name, source] of Object.entries(sources)) {
    const target = join(targetDir, name)
    await mkdir(dirname(target), { recursive: true })
    await writeWhole(target, await readSource(source))
  }
  await writeWhole(stamp, fingerprint) // last: it says that everything else is there
}

/** ReDoc's mark of its maker comes from a CDN. Here nothing does: the link to them stays, its picture is empty. */
const foreignPicture = 'https://cdn.redoc.ly/redoc/logo-mini.svg'
const emptyPicture = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='

/** @throws Error when ReDoc is no longer what it was: then look what it asks whom for */
async function readSource(path: string): Promise<Buffer | string> {
  if (!path.endsWith('redoc.standalone.js')) return readFile(path)
  const parts = (await readFile(path, 'utf8')).split(foreignPicture)
  if (parts.length !== 2) throw new Error(`${path} does not name ${foreignPicture} once`)
  return parts.join(emptyPicture)
}

async function isWhole(): Promise<boolean> {
  const looks = Object.keys(sources).map((name) => stat(join(targetDir, name)))
  return (await Promise.allSettled(looks)).every(({ status }) => status === 'fulfilled')
}

/** Ours, this one too, by what is in them, those of the packages by their versions. */
async function fingerprintSources(): Promise<string> {
  const hash = createHash('sha256')
  const read = [import.meta.filename, ...Object.values(sources).filter((source) => source.startsWith(ours))]
  read.push(join(swagger, 'package.json'), join(redoc, '../package.json'))
  for (const path of read) hash.update(await readFile(path))
  return hash.digest('hex')
}

/** In one move: another run may be doing the same, and a server may be reading. */
async function writeWhole(path: string, content: Buffer | string): Promise<void> {
  const draft = join(root, 'dist', `${randomUUID()}.draft`)
  await writeFile(draft, content)
  await rename(draft, path)
}

await gather()
