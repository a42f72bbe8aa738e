// For each layout rule, samples that violate it and samples that do not, so that a rule that finds nothing is noticed.
import * as rules from './architecture-rules.ts'

/** A sample: path and text of a file, and other existing files, with or without a text. */
export type Sample = [path: string, text: string, others?: (string | [path: string, text: string])[]]

const jobTable: Sample[2] = [['src/jobs/job.table.ts', `export const jobs = pgTable('jobs', {})`]]

export const cases: [string, rules.Rule, Sample[], Sample[]][] = [
  [
    'imports go only to lower layers',
    rules.arrowsPointDown,
    [
      ['src/kernel/a.ts', `import { b } from '../infra/redis.ts'`],
      ['src/infra/a.ts', `import { b } from '../http/context.ts'`],
      ['src/http/a.ts', `import type { B } from '../accounts/account.ts'`],
      ['src/accounts/a.ts', `import { b } from '../machines/machine.ts'`],
      ['src/machines/a.ts', `import { b } from '../jobs/job.ts'`],
      ['src/jobs/a.ts', `import { b } from '../app.ts'`],
      ['src/app.ts', `import b from './worker.ts'`],
      ['src/app.ts', `import { b } from './tools/keys.ts'`],
      ['src/http/a.ts', `import { b } from '../client/client.ts'`],
      ['src/http/a.ts', `import { b } from '../console/texts.ts'`],
      ['src/invented/a.ts', `import { b } from '../kernel/log.ts'`],
    ],
    [
      ['src/jobs/a.ts', `import { b } from '../machines/store.ts'`],
      ['src/machines/a.ts', `import { b } from '../http/etag.ts'`],
      ['src/http/a.ts', `import type { Environment } from '../env.ts'`],
      ['src/worker.ts', `import { createApp } from './app.ts'`],
    ],
  ],
  [
    'statements use tables of their own slice and of lower slices',
    rules.statementsUseTablesBelow,
    [
      ['src/machines/store.ts', 'sql`SELECT * FROM jobs WHERE machine_id = 1`', jobTable],
      ['src/accounts/sql/a.ts', 'sql`UPDATE jobs SET state = 1`', jobTable],
      ['src/http/a.ts', 'sql`SELECT 1 FROM caller LEFT JOIN jobs ON true`', jobTable],
      ['src/http/a.ts', 'sql`SELECT 1 FROM caller JOIN jobs ON true`', jobTable],
      ['src/http/a.ts', 'sql`SELECT 1 FROM caller, machine m, jobs j`', jobTable],
      ['src/machines/store.ts', 'sql`DELETE FROM machines m USING jobs WHERE true`', jobTable],
    ],
    [
      ['src/jobs/sql/a.ts', 'sql`INSERT INTO jobs SELECT 1`', jobTable],
      ['src/machines/store.ts', 'sql`SELECT * FROM open_jobs`', jobTable],
    ],
  ],
  [
    'pure files import only pure files',
    rules.pureFilesImportOnlyPureFiles,
    [
      ['src/jobs/job.ts', `import type { Database } from '../infra/database.ts'`],
      ['src/machines/machine.ts', `import { b } from './store.ts'`],
      ['src/env.ts', `import { b } from './http/problem.ts'`],
    ],
    [
      ['src/jobs/job.ts', `import { toRfc3339 } from '../kernel/time.ts'`],
      ['src/jobs/commands.ts', `import type { MachineStatus } from '../machines/machine.ts'`],
    ],
  ],
  [
    'the client imports nothing of the rest but types',
    rules.clientImportsOnlyTypes,
    [
      ['src/client/client.ts', `import { jobStates } from '../jobs/job.ts'`],
      ['src/client/client.ts', `import { type Job, jobStates } from '../jobs/job.ts'`],
    ],
    [
      ['src/client/client.ts', `import type { Job } from '../jobs/job.ts'`],
      ['src/client/client.ts', `import { watch } from './watch.ts'`],
    ],
  ],
  [
    'the console uses only the client and hono/jsx',
    rules.consoleImportsOnlyTheClient,
    [
      ['src/console/main.tsx', `import { jobStates } from '../jobs/job.ts'`],
      ['src/console/main.tsx', `import { Hono } from 'hono'`],
      ['src/console/texts.ts', `import type { Hono } from 'hono'`],
    ],
    [
      ['src/console/main.tsx', `import { render } from 'hono/jsx/dom'`],
      ['src/console/main.tsx', `import './styles/main.css'`],
      ['src/console/session.ts', `import { Tiebar } from '../client/client.ts'`],
      ['src/console/session.ts', `import type { JobState } from '../jobs/job.ts'`],
    ],
  ],
  [
    'src imports nothing from outside itself',
    rules.sourceStaysInSource,
    [
      [
        'src/tools/a.ts',
        `import { startPostgres } from '../../test/platform/postgres.ts'`,
        ['test/platform/postgres.ts'],
      ],
      ['src/http/a.ts', `import { version } from '../../package.json'`, ['package.json']],
    ],
    [['src/tools/a.ts', `import { version } from '../../package.json'`, ['package.json']]],
  ],
  [
    'each package is used only in its allowed files',
    rules.packagesStayAtHome,
    [
      ['src/jobs/routes.ts', `import { sql } from 'drizzle-orm'`],
      ['src/http/a.ts', `import type { SQL } from 'drizzle-orm'`],
      ['src/infra/redis.ts', `import { pgTable } from 'drizzle-orm/pg-core'`],
      ['src/jobs/delivery.ts', `import { SignJWT } from 'jose'`],
      ['src/jobs/sweep.ts', `import { Client } from '@upstash/qstash'`],
      ['src/accounts/store.ts', `import { neon } from '@neondatabase/serverless'`],
      ['src/machines/store.ts', `import type { Context } from 'hono'`],
      ['src/jobs/job.ts', `import { z } from '@hono/zod-openapi'`],
      ['src/infra/rows.ts', `import { z } from '@hono/zod-openapi'`],
      ['src/jobs/sql/settle.ts', `import { createMiddleware } from 'hono/factory'`],
      ['src/infra/queue.ts', `import { HTTPException } from 'hono/http-exception'`],
      ['src/app.ts', `import { env } from 'cloudflare:workers'`],
    ],
    [
      ['src/accounts/token.ts', `import { SignJWT } from 'jose'`],
      ['src/tools/keys.ts', `import { exportJWK } from 'jose'`],
      ['src/machines/store.ts', `import { sql } from 'drizzle-orm'`],
      ['src/http/pagination/store.ts', `import { sql } from 'drizzle-orm'`],
      ['src/infra/rows.ts', `import { getTableColumns } from 'drizzle-orm'`],
      ['src/jobs/routes.ts', `import { createRoute } from '@hono/zod-openapi'`],
    ],
  ],
  [
    'there are no barrels',
    rules.thereAreNoBarrels,
    [
      ['src/jobs/index.ts', ''],
      ['src/jobs/all.ts', `export * from './job.ts'`],
      ['src/jobs/all.ts', `export { toJob } from './job.ts'`],
      ['src/jobs/all.ts', `export type {\n  Job,\n} from './job.ts'`],
    ],
    [
      ['src/jobs/job.ts', `export const from = 'here'\nexport function a() {\n  return "b from 'c'"\n}`],
      ['src/client/client.ts', `export { TiebarProblem } from './problem.ts'`],
    ],
  ],
  [
    'only the Worker has a default export',
    rules.onlyTheWorkerExportsDefault,
    [
      ['src/app.ts', 'export default {}'],
      ['src/app.ts', 'export { app as default }'],
    ],
    [['src/worker.ts', 'export default {}']],
  ],
  [
    'only tools read process.env',
    rules.onlyToolsReadProcessEnv,
    [
      ['src/http/a.ts', 'const a = process.env.NODE_ENV'],
      ['src/http/a.ts', `import { env } from 'node:process'`],
    ],
    [['src/tools/keys.ts', 'const a = process.env.DATABASE_URL']],
  ],
  [
    'every route is described',
    rules.everyRouteIsDescribed,
    [
      ['src/jobs/routes.ts', `router.get('/api/jobs/secret', (c) => c.json({}))`],
      ['src/app.ts', `app.on('PURGE', '/api', purge)`],
    ],
    [
      ['src/jobs/routes.ts', 'router.openapi(readJob, async (c) => c.json({}, 200))'],
      ['src/http/old-routes.ts', `router.get('/api/log-in', moveTo('/api/me'))`],
    ],
  ],
  [
    'no file of src has more than 220 lines',
    rules.filesAreShort,
    [['src/a.ts', 'line\n'.repeat(221)]],
    [
      ['src/a.ts', 'line\n'.repeat(220)],
      ['src/client/api.ts', 'line\n'.repeat(1_000)],
    ],
  ],
  [
    'the top level has no other files',
    rules.nothingElseIsAtTheTop,
    [
      ['notes/a.md', ''],
      ['NOTES.md', ''],
      ['vitest.config.ts', ''],
    ],
    [
      ['.ci/run', ''],
      ['LICENSE', ''],
      ['SECURITY.md', ''],
      ['docs/a.md', ''],
    ],
  ],
  [
    'every dependency is one exact version',
    rules.versionsAreExact,
    [
      ['package.json', '{"dependencies":{"hono":"^4.0.0"}}'],
      ['package.json', '{"devDependencies":{"vitest":"latest"}}'],
      ['package.json', '{"dependencies":{"zod":"4.0"}}'],
    ],
    [['package.json', '{"dependencies":{"hono":"4.13.19","miniflare":"5.20261117.0-beta"}}']],
  ],
  [
    'the lockfile names no mirror',
    rules.lockfileNamesNoMirror,
    [
      ['package-lock.json', '{"packages":{"node_modules/a":{"resolved":"http://127.0.0.1:4873/a.tgz"}}}'],
      ['package-lock.json', '{"packages":{"node_modules/a":{"resolved":"https://registry.npmjs.org.evil/a.tgz"}}}'],
    ],
    [
      [
        'package-lock.json',
        '{"packages":{"node_modules/a":{"resolved":"https://registry.npmjs.org/a/-/a.tgz"},"b":{}}}',
      ],
    ],
  ],
]
