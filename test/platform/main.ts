// The local platform's command line: `node test/platform/main.ts <command> [--fresh]`.
import { parseArgs } from 'node:util'
import { runDemo } from './demo.ts'
import { type RunOptions, runDev, runPlatform } from './dev.ts'
import { runUntilStopped } from './lifetime.ts'

type Command = { summary: string; run(options: RunOptions): Promise<void> }

const commands = new Map<string, Command>([
  ['dev', { summary: 'starts the services and the API', run: runDev }],
  ['demo', { summary: 'starts everything on free ports, runs one scenario, stops everything', run: runDemo }],
  ['platform', { summary: 'starts everything except the API, which "npx wrangler dev" starts', run: runPlatform }],
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

/** @throws TypeError for an unknown option */
function readArguments() {
  const options = { fresh: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } } as const
  return parseArgs({ options, allowPositionals: true })
}

let read: ReturnType<typeof readArguments> | undefined
let fault = ''
try {
  read = readArguments()
} catch (error) {
  fault = `${error instanceof Error ? error.message : error}\n\n`
}
const name = read?.positionals.length === 1 ? read.positionals[0] : undefined
const command = commands.get(name ?? '')
if (read?.values.help) process.stdout.write(describeUsage())
else if (read === undefined || command === undefined) {
  process.stderr.write(`${fault}${describeUsage()}`)
  process.exitCode = 2
} else {
  const isFresh = read.values.fresh
  await runUntilStopped((stop) => command.run({ stop, isFresh }))
}
