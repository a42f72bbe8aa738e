// `npm run client:pack`: builds the typed client and writes it to dist/tiebar-client-VERSION.tgz. The package has its own
// manifest without dependencies, because the client imports no package.
import { execFile } from 'node:child_process'
import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

const root = join(import.meta.dirname, '../..')
const dist = join(root, 'dist')
/** Where src/client/tsconfig.json builds to. */
const packageDir = join(dist, 'client')
const files = ['LICENSE', 'CHANGELOG.md']

const projectManifest = z.object({ name: z.string(), version: z.string(), license: z.string() })

/** The name is the project's, so that users import `tiebar/client`. */
function makeManifest({ name, version, license }: z.infer<typeof projectManifest>): object {
  return {
    name,
    version,
    description: 'The typed client of the Tiebar API, for Node, browsers and Workers',
    license,
    type: 'module',
    engines: { node: '>=20' },
    sideEffects: false,
    exports: { './client': { types: './client.d.ts', default: './client.js' } },
  }
}

const run = promisify(execFile)
const project = projectManifest.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))
await rm(packageDir, { recursive: true, force: true })
await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'src/client')])
await writeFile(join(packageDir, 'package.json'), `${JSON.stringify(makeManifest(project), null, 2)}\n`)
for (const name of files) await copyFile(join(root, name), join(packageDir, name))
await run('npm', ['pack', '--ignore-scripts', '--pack-destination', dist], { cwd: packageDir })
const tarball = join(dist, `tiebar-client-${project.version}.tgz`)
await rename(join(dist, `${project.name}-${project.version}.tgz`), tarball)
process.stdout.write(`${relative(process.cwd(), tarball)}\n`)
