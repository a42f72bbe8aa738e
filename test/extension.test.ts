// Adding things is led by the compiler. Each change is made in a copy of the source: it works there, on PostgreSQL, or it
// does not compile, and the compiler names every place that is missing.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { getTableConfig, PgDialect, type PgTable } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../src/infra/database.ts'
import { Trace } from '../src/kernel/trace.ts'
import { startMigrated } from './migrated.ts'
import type { PostgresStandIn } from './platform/postgres.ts'

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)
const dialect = new PgDialect()

let postgres: PostgresStandIn
/** A copy that is compiled, so that its copies compile only what a change concerns. */
let unchanged: string
const copies: string[] = []
beforeAll(async () => {
  postgres = await startMigrated()
  unchanged = await createFolder()
  await cp(join(root, 'src'), join(unchanged, 'src'), { recursive: true })
  await writeFile(
    join(unchanged, 'tsconfig.json'),
    '{ "extends": "../../tsconfig.json", "compilerOptions": { "incremental": true, "tsBuildInfoFile": "info" }, "include": ["src"], "exclude": ["src/console"] }',
  )
  expect(await compile(unchanged)).toEqual([])
})
afterAll(async () => {
  await postgres?.close()
  for (const copy of copies) await rm(copy, { recursive: true })
})

type Edit = [file: string, search: string, replacement: string]

/** Within the project, so that its packages are found. */
async function createFolder(): Promise<string> {
  await mkdir(join(root, 'dist'), { recursive: true })
  const folder = await mkdtemp(join(root, 'dist/extension-'))
  copies.push(folder)
  return folder
}

/** The files that do not compile. One checker, because several check the same types more than once. */
async function compile(folder: string): Promise<string[]> {
  const tsc = join(root, 'node_modules/.bin/tsc')
  const args = ['-p', folder, '--pretty', 'false', '--checkers', '1']
  const { stdout } = await run(tsc, args).catch((error: { stdout: string }) => error)
  const files = stdout.split('\n').flatMap((line) => /extension-\w+\/src\/([^(]+)\(/.exec(line)?.[1] ?? [])
  return [...new Set(files)].sort()
}

async function copySource() {
  const folder = await createFolder()
  await cp(unchanged, folder, { recursive: true })
  const pathOf = (file: string) => join(folder, 'src', file)
  return {
    /** @throws Error for a text that is not there */
    async edit(...edits: Edit[]): Promise<void> {
      for (const [file, search, replacement] of edits) {
        const text = await readFile(pathOf(file), 'utf8')
        if (!text.includes(search)) throw new Error(`${file} does not say ${search}`)
        await writeFile(
          pathOf(file),
          text.replace(search, () => replacement),
        )
      }
    },
    compile: () => compile(folder),
    load: (file: string) => import(pathOf(file)),
  }
}

/** Gives the database the tables' present constraints, as the next migration would. */
async function replaceChecks(table: PgTable): Promise<void> {
  const { name, checks } = getTableConfig(table)
  for (const check of checks) {
    const condition = dialect.sqlToQuery(check.value.inlineParams()).sql
    await postgres.query(`ALTER TABLE ${name} DROP CONSTRAINT ${check.name}`)
    await postgres.query(`ALTER TABLE ${name} ADD CONSTRAINT ${check.name} CHECK (${condition})`)
  }
}

const database = () => openDatabase(postgres.databaseUrl, postgres.fetchEndpoint)(new Trace())

/** Somebody who is signed in. */
async function createCaller() {
  const name = randomUUID()
  const [account] = await postgres.query(
    'INSERT INTO accounts (username, username_key, email, email_key, password_hash) VALUES ($1, $1, $1, $1, $1) RETURNING id',
    [name],
  )
  const accountId = Number(account?.id)
  const sessionId = randomUUID()
  await postgres.query(
    "INSERT INTO sessions (id, account_id, refresh_id, expires_at) VALUES ($1, $2, $1, now() + interval '1 day')",
    [sessionId, accountId],
  )
  return { kind: 'session', accountId, sessionId }
}

/** The next attempt may begin at once. */
const endDelay = (jobId: string) => postgres.query('UPDATE jobs SET next_attempt_at = NULL WHERE id = $1', [jobId])

const machine = { name: 'Machine', location: 'Hall 1', status: 'RUNNING', controller_url: 'http://controller.example' }

test('an open job state does not compile until every rule knows it; then it is in the table and in the document', async () => {
  const copy = await copySource()
  await copy.edit(['jobs/job.ts', "awaitedStates = ['PENDING']", "awaitedStates = ['PENDING', 'PAUSED']"])
  expect(await copy.compile()).toEqual(['jobs/sql/outcomes.ts', 'jobs/value-texts.ts'])
  await copy.edit(
    ['jobs/sql/outcomes.ts', '  PENDING: {\n    SUCCESS', '  PAUSED: {} as never,\n  PENDING: {\n    SUCCESS'],
    ['jobs/value-texts.ts', '  PENDING: ', "  PAUSED: 'Open: the controller waits.',\n  PENDING: "],
  )
  expect(await copy.compile()).toEqual([])
  const { jobs } = await copy.load('jobs/job.table.ts')
  const { isOpen } = await copy.load('jobs/job.ts')
  const { jobSchema } = await copy.load('jobs/schema.ts')
  const { checks, indexes } = getTableConfig(jobs)
  expect(checks.map(({ value }) => dialect.sqlToQuery(value).sql).join()).toContain("'PAUSED'")
  expect(indexes.map(({ config }) => config.where && dialect.sqlToQuery(config.where).sql).join()).toContain("'PAUSED'")
  expect(isOpen('PAUSED')).toBe(true)
  expect(jobSchema.shape.state.options).toContain('PAUSED')
})

test('a final job state does not compile without its sentence', async () => {
  const copy = await copySource()
  await copy.edit(['jobs/job.ts', "  'SUPERSEDED',\n]", "  'SUPERSEDED',\n  'SKIPPED',\n]"])
  expect(await copy.compile()).toEqual(['jobs/value-texts.ts'])
  const { isOpen, jobStates } = await copy.load('jobs/job.ts')
  expect([jobStates.includes('SKIPPED'), isOpen('SKIPPED')]).toEqual([true, false])
})

const pause = `  PAUSE: {
    description: 'Pauses the machine.',
    scope: 'stop',
    acceptedIn: ['RUNNING'],
    isCheckedWhenSent: true,
    needsFreshReport: false,
    isHeld: false,
    precedence: 0,
    supersededReason: null,
    isSentWithoutQueue: false,
    ignoresLease: false,
    statusOnSuccess: 'POWEROFF',
    confirmedIn: ['POWEROFF'],
    maxAttempts: 2,
    expiresInSeconds: 30,
    queueRetries: 1,
    leasedRetrySeconds: null,
    label: 'tiebar-pause',
  },
  STOP: {`

test('a command is one row: it is accepted, published under its label, sent, and gives the machine its status', async () => {
  const copy = await copySource()
  await copy.edit(['jobs/commands.ts', '  STOP: {', pause])
  expect(await copy.compile()).toEqual([])
  const [{ createJob }, { claim }, { settle }, { selectOpenJobs }, { publishJobs }, { jobs }, machineSql] =
    await Promise.all(
      ['sql/create', 'sql/claim', 'sql/settle', 'sql/fragments', 'dispatch', 'job.table']
        .map((file) => copy.load(`jobs/${file}.ts`))
        .concat(loadMachineSql(copy)),
    )
  await replaceChecks(jobs)
  const caller = await createCaller()
  const { id } = await machineSql.insertMachine(database(), caller, machine, undefined, 1_000)
  const request = { jobId: randomUUID(), machineId: id, command: 'PAUSE', expiresInSeconds: 30 }
  const { decision, job } = await createJob(database(), caller, request, undefined)
  expect(decision).toBe('accepted')

  const published: { label: string; retries: number }[] = []
  const queue = {
    publish: async (messages: typeof published) => messages.map((message) => published.push(message) > 0),
  }
  const upstreams = { database: database(), queue }
  const context = { upstreams, trace: new Trace(), publicUrl: 'http://localhost', waitUntil: () => {} }
  await publishJobs(context, [{ job, publishNo: 1, delaySeconds: 0 }])
  expect(published).toMatchObject([{ label: 'tiebar-pause', retries: 1 }])

  const delayHasPassed = () => postgres.query('UPDATE jobs SET next_attempt_at = now() WHERE next_attempt_at > now()')
  for (const attempt of [1, 2]) {
    await delayHasPassed()
    expect(await claim(database(), job.id, 'queue')).toMatchObject({ step: 'send', job: { attempts: attempt } })
    const lost = { result: 'busy', detail: null, attempt, mayHaveExecutedBefore: false }
    const answered = { ...lost, result: 'SUCCESS' }
    await settle(database(), job.id, attempt === 1 ? lost : answered)
    await endDelay(job.id)
  }
  expect(await machineSql.readMachine(database(), caller, id)).toMatchObject({ status: 'POWEROFF' })
  const again = await createJob(database(), caller, { ...request, jobId: randomUUID() }, undefined)
  expect(again.decision).toBe('wrong_state')
  await machineSql.createChangeMachine(selectOpenJobs)(database(), caller, id, { status: 'RUNNING' }, undefined)
  const failing = { ...request, jobId: randomUUID() }
  await createJob(database(), caller, failing, undefined)
  for (const attempt of [1, 2]) {
    await delayHasPassed()
    expect(await claim(database(), failing.jobId, 'queue')).toMatchObject({ step: 'send' })
    await settle(database(), failing.jobId, { result: 'busy', detail: null, attempt, mayHaveExecutedBefore: false })
    await endDelay(failing.jobId)
  }
  expect(await claim(database(), failing.jobId, 'queue')).toMatchObject({ step: 'fail_unreachable' })

  // A STOP always gets through, and nothing supersedes it.
  await machineSql.createChangeMachine(selectOpenJobs)(database(), caller, id, { status: 'RUNNING' }, undefined)
  const paused = await createJob(database(), caller, { ...request, jobId: randomUUID() }, undefined)
  const stop = { ...request, jobId: randomUUID(), command: 'STOP' }
  const stopped = await createJob(database(), caller, stop, undefined)
  expect(stopped).toMatchObject({ decision: 'accepted', superseded: [{ id: paused.job.id, reason: 'by_stop' }] })
  const late = await createJob(database(), caller, { ...request, jobId: randomUUID() }, undefined)
  expect(late).toMatchObject({ decision: 'job_open', open_job_id: stopped.job.id })
})

/** All statements on machines. */
const loadMachineSql = async (copy: Awaited<ReturnType<typeof copySource>>) => ({
  ...(await copy.load('machines/sql/read.ts')),
  ...(await copy.load('machines/sql/create.ts')),
  ...(await copy.load('machines/sql/change.ts')),
})

const sorts = "defineSorts(machineColumns, ['id', 'name', 'created_at', 'updated_at'], 'id')"

test('a sort column has a second page; one that can be null does not compile', async () => {
  const copy = await copySource()
  await copy.edit(['machines/sql/read.ts', sorts, sorts.replace("'name'", "'name', 'location'")])
  expect(await copy.compile()).toEqual([])
  const machineSql = await loadMachineSql(copy)
  const { readPage, toPage } = await copy.load('http/pagination/page.ts')
  const { machineQuery } = await copy.load('machines/schema.ts')
  const caller = await createCaller()
  for (const location of ['C', 'A', 'B']) {
    await machineSql.insertMachine(database(), caller, { ...machine, location }, undefined, 1_000)
  }
  const shown: string[] = []
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const query = machineQuery.parse({ sort: '-location', limit: '1', ...(cursor !== undefined && { cursor }) })
    const page = readPage(machineSql.machineSorts, query)
    const rows = await machineSql.listMachines(database(), caller, { ownerId: caller.accountId }, page)
    const { items, next_cursor } = toPage(page, rows, ({ location }: { location: string }) => location)
    shown.push(...items)
    cursor = next_cursor ?? undefined
  }
  expect(shown).toEqual(['C', 'B', 'A'])

  const other = await copySource()
  await other.edit(['machines/sql/read.ts', sorts, sorts.replace("'name'", "'controller_url'")])
  expect(await other.compile()).toEqual(['machines/sql/read.ts'])
})

const newColumn: Record<'table' | 'columns' | 'shown' | 'inPost' | 'inPut' | 'inPatch', Edit> = {
  table: [
    'machines/machine.table.ts',
    '    status: text(',
    "    serialNumber: text('serial_number').notNull().default(''),\n    status: text(",
  ],
  columns: ['machines/sql/fragments.ts', "  'location',\n", "  'location',\n  'serial_number',\n"],
  shown: ['machines/schema.ts', '    location: z.string()', '    serial_number: z.string(),\n    location: z.string()'],
  inPost: ['machines/schema.ts', 'newMachine = {\n', "newMachine = {\n  serial_number: text(0, 64).default(''),\n"],
  inPut: ['machines/schema.ts', '    location,\n', "    location,\n    serial_number: text(0, 64).default(''),\n"],
  inPatch: [
    'machines/schema.ts',
    '    location: location.optional(),\n',
    '    location: location.optional(),\n    serial_number: text(0, 64).optional(),\n',
  ],
}

test('a machine column does not compile until it is everywhere; then it is stored and shown', async () => {
  const copy = await copySource()
  const { inPost, columns, inPut, inPatch, ...inside } = newColumn
  await copy.edit(inPost, ...Object.values(inside))
  // Two of them insert a machine with all members of the body, and PostgreSQL has no column for this one yet.
  const inserting = ['machines/routes.ts', 'tools/stored/catalog.ts']
  expect((await copy.compile()).toSorted()).toEqual(
    ['jobs/personal-data.ts', ...inserting, 'machines/schema.ts'].toSorted(),
  )
  await copy.edit(columns)
  // Without these, PUT and PATCH would take the member for one that GET shows and nobody can change.
  expect(await copy.compile()).toEqual(['machines/schema.ts'])
  await copy.edit(inPut, inPatch)
  expect(await copy.compile()).toEqual([])

  await postgres.query("ALTER TABLE machines ADD COLUMN serial_number text NOT NULL DEFAULT ''")
  const machineSql = await loadMachineSql(copy)
  const { selectOpenJobs } = await copy.load('jobs/sql/fragments.ts')
  const caller = await createCaller()
  const stored = await machineSql.insertMachine(
    database(),
    caller,
    { ...machine, serial_number: 'TB-470' },
    undefined,
    1_000,
  )
  expect(stored).toMatchObject({ serial_number: 'TB-470', revision: 1 })
  const change = { serial_number: 'TB-471' }
  const changed = await machineSql.createChangeMachine(selectOpenJobs)(database(), caller, stored.id, change, undefined)
  expect(changed.row).toMatchObject({ serial_number: 'TB-471', revision: 2 })
})
