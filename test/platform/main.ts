// The local platform's command line: `node test/platform/main.ts <command> [--fresh]`.
import { parseArgs } from 'node:util'
import { runProgram, UsageError } from '../../src/tools/program.ts'
import type { RunOptions } from './dev.ts'
import { runUntilStopped } from './lifetime.ts'

/** Loads what it runs, because the packages of the services take half a second to load. */
type Command = { summary: string; load(): Promise<(options: RunOptions) => Promise<void>> }

const commands = new Map<string, Command>([
  ['dev', { summary: 'starts the services and the API', load: async () => (await import('./dev.ts')).runDev }],
  [
    'demo',
    {
      summary: 'starts everything on free ports, runs one scenario, stops everything',
      load: async () => (await import('./demo.ts')).runDemo,
    },
  ],
  [
    'platform',
    {
      summary: 'starts everything except the API, which "npx wrangler dev" starts',
      load: async () => (await import('./dev.ts')).runPlatform,
    },
  ],
])

function describeUsage(): string {
  const lines = [...commands].map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  return `usage: node test/platform/main.ts <command> [--fresh]

${lines.join('\n')}

  --fresh    deletes the data of earlier runs first

PORT= sets the port of the API, LOCAL_DIR= replaces .local/. If all variables of a service are set (DATABASE_URL …), it is
used. Settings of the Worker (ALLOWED_ORIGINS …) are passed on. LOCAL_POSTGRES_URL and LOCAL_REDIS_URL put real servers
behind the stand-ins. dev and platform write .dev.vars, which has the Worker's variables for "npx wrangler dev".
`
}

async function main(args: string[]): Promise<undefined> {
  const options = { fresh: { type: 'boolean', default: false } } as const
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  const command = positionals.length === 1 ? commands.get(positionals[0] ?? '') : undefined
  if (command === undefined) throw new UsageError('Give one command.')
  await runUntilStopped(async (stop) => (await command.load())({ stop, isFresh: values.fresh }))
}

await runProgram({ usage: describeUsage(), main })
