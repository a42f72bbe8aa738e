// Bundles the console for the browser: one script, one stylesheet and the icon, whose names contain a hash of their
// content, and the page that names them.
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

const root = join(import.meta.dirname, '../../..')
const consoleDir = join(root, 'src/console')

/** The folders whose files end up in the bundle, or decide how it is built. */
const folders = [consoleDir, join(root, 'src/client')]
const packages = ['esbuild', 'hono']

/** Everything that the bundle depends on. */
export async function listConsoleSources(): Promise<string[]> {
  const entries = await Promise.all(folders.map((folder) => readdir(folder, { recursive: true, withFileTypes: true })))
  const files = entries.flat().filter((entry) => entry.isFile())
  const manifests = packages.map((name) => join(root, 'node_modules', name, 'package.json'))
  return [...files.map((file) => join(file.parentPath, file.name)).sort(), ...manifests]
}

/** @returns the content of each file by its path in the folder of assets */
export async function buildConsole(): Promise<Record<string, Uint8Array | string>> {
  const { build } = await import('esbuild') // only when something changed: it takes time to load
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(consoleDir, 'main.tsx'), join(consoleDir, 'icon.svg')],
    entryNames: '[name]-[hash]',
    outdir: 'console',
    publicPath: '/console/',
    loader: { '.svg': 'copy' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'hono/jsx/dom',
    write: false,
    metafile: true,
    logLevel: 'silent', // the error that it throws contains the messages
  })
  refuseOthers(Object.keys(metafile.inputs))
  const files = outputFiles.map(({ path, contents }): [string, Uint8Array] => [`console/${basename(path)}`, contents])
  const page = await readFile(join(consoleDir, 'index.html'), 'utf8')
  return { ...Object.fromEntries(files), 'index.html': nameFiles(page, Object.keys(metafile.outputs)) }
}

/** The console is our code and Hono. @throws Error for a file of anything else */
function refuseOthers(inputs: string[]): void {
  const others = inputs.filter((path) => !/^(src\/(console|client)|node_modules\/hono)\//.test(path))
  if (others.length > 0) throw new Error(`the console may not contain ${others.join(', ')}`)
}

/** Replaces `/console/main.js` by `/console/main-HASH.js`. @throws Error if the page does not name a file once */
function nameFiles(page: string, outputs: string[]): string {
  return outputs.reduce((text, output) => {
    const hashed = `/${output}`
    const plain = hashed.replace(/-[A-Z0-9]{8}(?=\.\w+$)/, '')
    const parts = text.split(`"${plain}"`)
    if (plain === hashed || parts.length !== 2) throw new Error(`index.html does not name ${plain} once`)
    return parts.join(`"${hashed}"`)
  }, page)
}
