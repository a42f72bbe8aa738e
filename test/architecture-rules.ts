// The layout rules as functions: each takes the files and returns one line per violation, `path: what is wrong`.

/** File contents by path from the root, with `/`. */
export type Files = ReadonlyMap<string, string>
export type Rule = (files: Files) => string[]

export type Import = { from: string; to: string; isType: boolean }

// The formatter puts every import and re-export at the beginning of a line, where nothing else looks like one.
const statement = /^(?:import|export)\b(?<what>[^'"`;]*?)\bfrom\s*['"](?<to>[^'"]+)['"]/gm
const sideEffect = /^import\s*['"](?<to>[^'"]+)['"]/gm
const dynamic = /\b(?:import|require)\s*\(\s*['"`](?<to>[^'"`]+)['"`]/g

/** Every import and re-export of a file; relative ones as paths from the root. */
export function importsOf(from: string, text: string): Import[] {
  const found = [statement, sideEffect, dynamic].flatMap((pattern) => [...text.matchAll(pattern)])
  return found.map(({ groups: { what = '', to = '' } = {} }) => ({
    from,
    to: to.startsWith('.') ? resolve(from, to) : to,
    isType: what.trimStart().startsWith('type '),
  }))
}

function resolve(from: string, to: string): string {
  return new URL(to, `file:///${from}`).pathname.slice(1)
}

function sourceImports(files: Files): Import[] {
  return sources(files).flatMap(([path, text]) => importsOf(path, text))
}

function sources(files: Files): [string, string][] {
  return [...files].filter(([path]) => /^src\/.*\.[cm]?[jt]sx?$/.test(path))
}

/** From the bottom up. `env.ts` is a leaf like the kernel: every layer may use its types. */
const layers = ['kernel', 'infra', 'http', 'accounts', 'sites', 'machines', 'jobs', 'live', 'app', 'worker']
const outside = ['client', 'console', 'tools']

function layerOf(path: string): string {
  const [, second = '', third] = path.split('/')
  if (path === 'src/env.ts') return 'kernel'
  return third === undefined ? second.replace(/\.ts$/, '') : second
}

/** worker → app → slices (accounts ← sites ← machines ← jobs ← live) → http → infra → kernel */
export const arrowsPointDown: Rule = (files) =>
  sourceImports(files)
    .filter(({ to }) => to.startsWith('src/'))
    .filter(({ from, to }) => {
      if (outside.includes(layerOf(from))) return false
      const [upper, lower] = [layers.indexOf(layerOf(from)), layers.indexOf(layerOf(to))]
      return upper === -1 || lower === -1 || lower > upper
    })
    .map(({ from, to }) => `${from}: imports ${to}, which is not below it`)

/** Tables by the slice that defines them. */
function tablesOf(files: Files): Map<string, string> {
  const tables = sources(files).flatMap(([path, text]) => {
    if (!path.endsWith('.table.ts')) return []
    return [...text.matchAll(/pgTable\(\s*'(\w+)'/g)].map(([, name = '']): [string, string] => [name, layerOf(path)])
  })
  return new Map(tables)
}

/** SQL counts as an import: a statement may use tables of its own slice and of lower slices. */
export const statementsUseTablesBelow: Rule = (files) => {
  const tables = tablesOf(files)
  return sources(files).flatMap(([path, text]) => {
    const own = layers.indexOf(layerOf(path))
    if (own === -1) return []
    // A lookahead, so that the JOIN after a table without an alias is found, too.
    const lists = text.matchAll(
      /\b(?:FROM|JOIN|INTO|UPDATE|USING)(?=\s+(?:ONLY\s+)?(\w+(?:\s+\w+)?(?:\s*,\s*\w+(?:\s+\w+)?)*))/g,
    )
    const used = [...lists].flatMap(([, list = '']) => list.split(',').map((each) => each.trim().split(/\s/)[0] ?? ''))
    return [...new Set(used)]
      .filter((name) => layers.indexOf(tables.get(name) ?? '') > own)
      .map((name) => `${path}: uses the table ${name} of ${tables.get(name)}, which is not below it`)
  })
}

const pureFiles = [
  /^src\/kernel\//,
  /^src\/env\.ts$/,
  /^src\/accounts\/(account|address)\.ts$/,
  /^src\/sites\/role\.ts$/,
  /^src\/machines\/(machine|controller-url)\.ts$/,
  /^src\/jobs\/(job|commands)\.ts$/,
]
const isPure = (path: string) => pureFiles.some((pattern) => pattern.test(path))

/** The kernel, and the pure rules of the same or lower slices. */
export const pureFilesImportOnlyPureFiles: Rule = (files) =>
  sourceImports(files)
    .filter(({ from, to }) => isPure(from) && to.startsWith('src/') && !isPure(to))
    .map(({ from, to }) => `${from}: is pure and imports ${to}, which is not`)

/** The client may import the types of the API, but no code. */
export const clientImportsOnlyTypes: Rule = (files) =>
  sourceImports(files)
    .filter(({ from, to }) => from.startsWith('src/client/') && to.startsWith('src/') && !to.startsWith('src/client/'))
    .filter(({ isType }) => !isType)
    .map(({ from, to }) => `${from}: imports ${to} as more than types`)

/** The console calls the public API through the client, like every other program. Its users download all that it imports. */
export const consoleImportsOnlyTheClient: Rule = (files) =>
  sourceImports(files)
    .filter(({ from }) => from.startsWith('src/console/'))
    .filter(({ to, isType }) => !/^src\/(console|client)\/|^hono\/jsx\//.test(to) && !(isType && to.startsWith('src/')))
    .map(({ from, to }) => `${from}: imports ${to}, which is neither the client nor hono/jsx`)

export const sourceStaysInSource: Rule = (files) =>
  sourceImports(files)
    .filter(({ to }) => !to.startsWith('src/') && files.has(to))
    // Node programs read the package's name and version.
    .filter(({ from, to }) => !(from.startsWith('src/tools/') && to === 'package.json'))
    .map(({ from, to }) => `${from}: imports ${to}, which is outside src`)

const isStatementFile = (path: string) =>
  /\.table\.ts$|\/sql\/[\w-]+\.ts$|\/store\.ts$|^src\/infra\/(database|prepare|rows)\.ts$/.test(path)

type PackageHome = { packages: RegExp; isHome: (path: string) => boolean }

const packageHomes: PackageHome[] = [
  { packages: /^drizzle-/, isHome: (path) => isStatementFile(path) || path === 'src/tools/migrations.ts' },
  {
    packages: /^jose(\/|$)/,
    isHome: (path) => /(token|signature)\.ts$/.test(path) || path.startsWith('src/tools/'),
  },
  { packages: /^@(upstash|neondatabase)\//, isHome: (path) => path.startsWith('src/infra/') },
  {
    packages: /^(hono|@hono\/.*)(\/|$)/,
    isHome: (path) => !isStatementFile(path) && !isPure(path) && !/^src\/(infra|client|tools)\//.test(path),
  },
  { packages: /^cloudflare:/, isHome: (path) => path === 'src/worker.ts' },
]

export const packagesStayAtHome: Rule = (files) =>
  sourceImports(files)
    .filter(({ from, to }) => packageHomes.some(({ packages, isHome }) => packages.test(to) && !isHome(from)))
    .map(({ from, to }) => `${from}: imports ${to}, which has no place there`)

/** Exports that others import by the package name must be in one place. */
const packageEntry = 'src/client/client.ts'

export const thereAreNoBarrels: Rule = (files) =>
  sources(files)
    .filter(([path]) => path !== packageEntry)
    .flatMap(([path, text]) => [
      ...(/\/index\.\w+$/.test(path) ? [`${path}: has the name of a barrel`] : []),
      ...(/^export\b[^'"`;=]*\bfrom\s*['"]/m.test(text) ? [`${path}: re-exports from another file`] : []),
    ])

/** Programs of `tools` export nothing; the configuration of a tool is not in `src`. */
export const onlyTheWorkerExportsDefault: Rule = (files) =>
  sources(files)
    .filter(([path, text]) => path !== 'src/worker.ts' && /^export (default\b|\{[^}]*\bas default\b)/m.test(text))
    .map(([path]) => `${path}: has a default export`)

/** The Worker reads its environment only through `env.ts`. */
export const onlyToolsReadProcessEnv: Rule = (files) =>
  sources(files)
    .filter(([path]) => !path.startsWith('src/tools/'))
    .filter(([, text]) => /\bprocess\s*(\?\.|\.)\s*env\b|node:process/.test(text))
    .map(([path]) => `${path}: reads process.env`)

/** Redirects of old paths: new clients do not use them. */
const undescribed = ['src/http/old-routes.ts']

/** Only `openapi` mounts a route with its description, and every test checks the answers against the description. */
export const everyRouteIsDescribed: Rule = (files) =>
  sources(files)
    .filter(([path]) => !undescribed.includes(path))
    .filter(([, text]) => /\b(router|app)\s*\.(get|post|put|patch|delete|options|on)\(/.test(text))
    .map(([path]) => `${path}: mounts a route that the document does not describe`)

const mostLines = 220
const generated = 'src/client/api.ts'

export const filesAreShort: Rule = (files) =>
  sources(files)
    .filter(([path]) => path !== generated)
    .map(([path, text]) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > mostLines)
    .map(({ path, lines }) => `${path}: has ${lines} lines; ${mostLines} are the most`)

const topLevel = ['wrangler.toml', 'package.json', 'tsconfig.json', 'README.md', 'src', 'drizzle', 'test']
topLevel.push('package-lock.json', 'LICENSE', 'CHANGELOG.md', 'README.ko.md', 'SECURITY.md', 'CONTRIBUTING.md', 'docs')

export const nothingElseIsAtTheTop: Rule = (files) =>
  [...new Set([...files.keys()].map((path) => path.split('/')[0] ?? ''))]
    .filter((entry) => !entry.startsWith('.') && !topLevel.includes(entry))
    .map((entry) => `${entry}: does not belong at the top level`)

type Manifest = Partial<Record<'dependencies' | 'devDependencies' | 'overrides', Record<string, unknown>>>
type Lock = { packages?: Record<string, { resolved?: string }> }

export const versionsAreExact: Rule = (files) => {
  const manifest: Manifest = JSON.parse(files.get('package.json') ?? '{}')
  return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
    .filter(([, version]) => typeof version !== 'string' || !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `package.json: ${name} is ${version}, not one version`)
}

/** A lockfile that names a mirror does not work for people who cannot reach it. */
export const lockfileNamesNoMirror: Rule = (files) => {
  const lock: Lock = JSON.parse(files.get('package-lock.json') ?? '{}')
  return Object.entries(lock.packages ?? {})
    .filter(([, { resolved }]) => resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/'))
    .map(([name, { resolved }]) => `package-lock.json: ${name} comes from ${resolved}`)
}
