// Checks the documents: links have a target, commands are run by a test or listed with a reason, and every program,
// variable and package is named. README.ko.md has the same structure as README.md.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { signingKeys } from '../src/env.ts'
import { bundleCeiling } from './bundle.ts'
import {
  anchorOf,
  at,
  commandsIn,
  commandsOf,
  documents,
  findBlock,
  isThere,
  linksIn,
  read,
  readSections,
  rowsIn,
  type Section,
} from './documents.ts'

const run = promisify(execFile)
const { scripts, dependencies, devDependencies } = JSON.parse(read('package.json'))

function sectionOf(document: string, title: string): Section {
  const section = readSections(read(document)).find((each) => each.title === title)
  if (!section) throw new Error(`${document} has no section “${title}”`)
  return section
}

const spansIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span)

test('all documents are found', () => {
  const named = ['CONTRIBUTING.md', 'README.ko.md', 'README.md', 'SECURITY.md']
  const pages = ['client', 'controllers', 'deploy', 'migrating', 'people-and-programs', 'speed'].map(
    (name) => `docs/${name}.md`,
  )
  expect(documents).toEqual(expect.arrayContaining([...named, ...pages]))
})

describe.each(documents.map((document) => [document, read(document)]))('%s', (document, text) => {
  test('has only links to existing files and headings', () => {
    const broken = linksIn(text).filter((link) => {
      if (/^https:\/\//.test(link)) return false
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? document : normalize(join(dirname(document), path))
      if (!isThere(target)) return true
      return anchor !== undefined && !readSections(read(target)).map(anchorOf).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  test('names only programs that exist', () => {
    const named = [...text.matchAll(/npm run (?:-s |--silent )?([\w:]+)/g)].map(([, name = '']) => name)
    expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([])
  })

  test('names only paths of the project that exist', () => {
    const paths = spansIn(text).filter((span) => /^(src|test|drizzle|docs|\.ci|\.githooks)(\/[\w.-]+)+\/?$/.test(span))
    expect(paths.filter((path) => !isThere(path))).toEqual([])
  })
})

describe('README.md', () => {
  test('is short', () => {
    expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(180)
  })

  test('has every npm script in its table of programs', () => {
    const cells = rowsIn(sectionOf('README.md', 'Programs').prose).map(([program = '']) => program)
    const named = cells.flatMap(spansIn).map((span) => span.replace(/^npm (run )?(-s )?/, '').split(' ')[0])
    const lifecycle = /^(pre|post)(pack|install|publish)$|^prepare$/ // npm runs these itself
    expect(named.toSorted()).toEqual(
      Object.keys(scripts)
        .filter((name) => !lifecycle.test(name))
        .toSorted(),
    )
  })

  test('links to every other document', () => {
    const links = linksIn(read('README.md')).map((link) => link.split('#')[0])
    expect(documents.filter((document) => document !== 'README.md' && !links.includes(document))).toEqual([])
  })
})

describe('CONTRIBUTING.md', () => {
  test('explains the purpose of each package', () => {
    const rows = rowsIn(sectionOf('CONTRIBUTING.md', 'The packages, and why each').prose)
    const named = rows.flatMap(([packages = '']) => spansIn(packages))
    expect(named.toSorted()).toEqual([...Object.keys(dependencies), ...Object.keys(devDependencies)].toSorted())
  })

  test('names every folder of src and no other', () => {
    const [tree] = sectionOf('CONTRIBUTING.md', 'Layout').blocks
    const drawn = [...(tree?.text ?? '').matchAll(/^ {2}(\w+)\/ /gm)].map(([, name]) => name)
    const folders = readdirSync(at('src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(drawn.toSorted()).toEqual(folders.map(({ name }) => name).toSorted())
  })
})

/** The file that runs a command contains this text. */
const runners: [command: RegExp, file: string, text: string][] = [
  [/^npm ci$/, '.ci/run', 'step npm ci'],
  [/^npm run check$/, '.ci/run', 'step npm run check'],
  [/^npm test/, '.ci/run', 'tests npm test'],
  [/^npm run test:services$/, '.ci/run', 'tests npm run test:services'],
  [/^npm run test:model$/, '.ci/run', 'plays npm run test:model'],
  [/^npm run test:faults$/, '.ci/run', 'npm run test:faults'],
  [/^npm run test:soak$/, '.ci/run', 'npm run test:soak'],
  [/^npm run test:fuzz$/, '.ci/run', 'plays npm run test:fuzz'],
  [/^npm run test:browser$/, '.ci/run', 'tests npm run test:browser'],
  [/^npm run bench( -- --quick)?$/, '.ci/run', 'npm run bench -- --quick'],
  [/^npm run demo$/, '.ci/run', 'step npm run demo'],
  [/^([A-Z_]+=\S+ )*npm run dev( -- --fresh)?$/, 'test/platform/main.test.ts', `run(['dev']`],
  [/^npx wrangler dev$/, 'test/platform/dev-vars.test.ts', 'npx wrangler dev'],
  [/^npm run platform$/, 'test/platform/main.test.ts', `run(['platform']`],
  [/^npm run pages$/, 'wrangler.toml', 'node src/tools/pages.ts'],
  [/^npm run -s keys/, 'test/tools/keys.test.ts', `runTool('keys'`],
  [/npm run staff -- NAME( --reset-password)?$/, 'test/tools/staff.test.ts', `runTool('staff'`],
  [/npm run db:restored( -- --confirm |$)/, 'test/tools/db-restored.test.ts', `runTool('db-restored'`],
  [/npm run db:migrate$/, 'test/tools/migrations.test.ts', `runTool('db-migrate'`],
  [/npm run import( -- \S+|$)/, 'test/tools/import.test.ts', `runTool('import'`],
  [/^npm run doctor( -- |$)/, 'test/tools/doctor.test.ts', `runTool('doctor'`],
  [/ npm exec -- node test\/examples\/controller\.ts$/, 'test/examples/controller.test.ts', `new URL('controller.ts'`],
  [/^npm run client:pack$/, 'test/examples/integration.test.ts', `'client:pack'`],
  [/^npm install \S+\.tgz$/, 'test/examples/integration.test.ts', `'install'`],
  [/^npm run client:types$/, 'test/client/client.test.ts', 'await writeTypes()'],
  [/^npx wrangler deploy --dry-run /, 'test/build.ts', `'deploy', '--dry-run'`],
  [/^npm run lint:openapi$/, 'test/contract/document.test.ts', 'redocly'],
]

const notRun: [command: RegExp, why: string][] = [
  [/^git config /, 'changes the clone of whoever runs the tests'],
  [/^npm run format$/, 'changes files; npm run check runs the same program and changes none'],
  [/^npm run db:generate$/, 'writes a migration'],
  [/^npx tsc$/, 'npm run check runs it'],
  [/wrangler (login|secret|tail)\b/, 'needs an account at Cloudflare'],
  [/^npm run deploy( |$)/, 'needs an account at Cloudflare'],
  [/^pg_dump /, 'needs the database of the old system'],
  [/^npx @upstash\/qstash-cli dev$/, 'downloads a program'],
]

/** These blocks are run unchanged. */
const blocksRun: [document: string, beginning: string, file: string][] = [
  ['README.md', 'API=', 'test/platform/main.test.ts'],
  ['docs/live.md', 'API=', 'test/platform/main.test.ts'],
  ['CONTRIBUTING.md', 'CONTROL=', 'test/platform/main.test.ts'],
  ['docs/deploy.md', 'cat > .secrets', 'test/documents.test.ts'],
  ['docs/controllers.md', 'report()', 'test/examples/controller-pull.test.ts'],
]

describe('every command', () => {
  const inBlocks = blocksRun.flatMap(([document, beginning]) => commandsIn(findBlock(document, beginning)))
  const commands = documents.flatMap(commandsOfDocument).filter((command) => !inBlocks.includes(command))
  const isExcused = (command: string) => notRun.some(([pattern]) => pattern.test(command))
  const isRun = (command: string) => runners.some(([pattern]) => pattern.test(command))

  function commandsOfDocument(document: string): string[] {
    return commandsOf(read(document))
  }

  test('is run by a test, or is listed here with the reason why not', () => {
    expect(commands.length).toBeGreaterThan(30)
    expect([...new Set(commands)].filter((command) => !isExcused(command) && !isRun(command))).toEqual([])
  })

  test.each(runners)('%s is in a document, and %s runs it', (pattern, file, text) => {
    expect(commands.filter((command) => pattern.test(command))).not.toEqual([])
    expect(read(file).includes(text), `${file} has ${text}`).toBe(true)
  })

  test.each(notRun)('%s is in a document', (pattern) => {
    expect(commands.filter((command) => pattern.test(command))).not.toEqual([])
  })

  test.each(blocksRun)('the block of %s that begins with %s is run by %s', (document, beginning, file) => {
    expect(read(file).includes(`findBlock('${document}', '${beginning}'`), file).toBe(true)
  })
})

describe('docs/deploy.md', () => {
  test('writes a file with every secret, and with keys that the Worker accepts', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tiebar-secrets-'))
    onTestFinished(() => rm(dir, { recursive: true }))
    for (const name of ['package.json', 'node_modules', 'src']) await symlink(at(name), join(dir, name))
    await run('bash', ['-e', '-c', findBlock('docs/deploy.md', 'cat > .secrets')], { cwd: dir })
    const secrets = JSON.parse(await readFile(join(dir, '.secrets.production.json'), 'utf8'))
    const rows = rowsIn(sectionOf('README.md', 'Variables').prose).filter(([, kind]) => kind === 'secret')
    expect(Object.keys(secrets).toSorted()).toEqual(rows.flatMap(([name = '']) => spansIn(name)).toSorted())
    expect(signingKeys.parse(secrets.JWT_KEYS)).toHaveLength(1)
  })
})

describe('docs/speed.md', () => {
  test('states the size limit of the bundle', () => {
    expect(read('docs/speed.md')).toContain(`A test fails above ${bundleCeiling / 1024} KiB.`)
  })
})

describe('docs/client.md', () => {
  test('has examples that compile without unused names', async () => {
    const blocks = readSections(read('docs/client.md')).flatMap((section) => section.blocks)
    const samples = blocks.filter(({ language }) => language === 'ts').map(({ text }) => text)
    expect(samples).toHaveLength(3)
    const [, name = ''] = /from '([^']+)'/.exec(samples.join()) ?? []
    const dir = await mkdtemp(join(tmpdir(), 'tiebar-sample-'))
    onTestFinished(() => rm(dir, { recursive: true }))
    await Promise.all(samples.map((sample, index) => writeFile(join(dir, `sample-${index}.ts`), sample)))
    const options = { extends: at('tsconfig.json'), include: ['*.ts'] }
    const compilerOptions = {
      types: [],
      lib: ['es2024', 'dom', 'dom.iterable'],
      paths: { [name]: [at('src/client/client.ts')] },
    }
    await writeFile(join(dir, 'tsconfig.json'), JSON.stringify({ ...options, compilerOptions }))
    const compile = run(at('node_modules/.bin/tsc'), ['-p', dir]).catch(({ stdout }) => ({ stdout }))
    expect(await compile).toMatchObject({ stdout: '' })
  })
})

describe('README.ko.md', () => {
  const [english, korean] = [readSections(read('README.md')), readSections(read('README.ko.md'))]

  test('has the same headings at the same levels', () => {
    expect(korean.map(({ level }) => level)).toEqual(english.map(({ level }) => level))
  })

  test.each(english.map((section, index) => [section.title, section, korean[index]] as const))(
    'has under “%s” the same commands, links and rows',
    (_, section, translated) => {
      const shape = ({ blocks, prose }: Section) => ({
        code: blocks.map(({ language, text }) => [language, language === 'sh' ? commandsIn(text) : text]),
        links: linksIn(prose).filter((link) => !link.startsWith('README')),
        programs: rowsIn(prose).map(([first = '']) => spansIn(first)),
      })
      expect(translated && shape(translated)).toEqual(shape(section))
    },
  )
})
