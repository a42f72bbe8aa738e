// `npm run dev` and `npm run platform`: start, print all addresses, run until stopped.
import { devVarsPath, nameWranglerCommand } from './dev-vars.ts'
import { untilAborted } from './lifetime.ts'
import { type Local, prepareDatabase, prepareVariables, startLocal } from './local.ts'
import { startPlatform } from './platform.ts'
import { PlatformError } from './platform-error.ts'
import { defaultPort, readPort } from './ports.ts'
import { writeProgressTo } from './progress.ts'

export type RunOptions = { stop: AbortSignal; isFresh: boolean }

const defaultDir = '.local'

/** Starts the services and the API. Returns when stopped. @throws PlatformError if the Worker exits */
export async function runDev({ stop, isFresh }: RunOptions): Promise<void> {
  const startedAt = performance.now()
  const port = readPort(process.env.PORT)
  const local = await startLocal({
    dir: process.env.LOCAL_DIR || defaultDir,
    fresh: isFresh,
    signal: stop,
    progress: writeProgressTo(process.stdout),
    devVarsPath,
    ...(port !== undefined && { port }),
  })
  try {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    process.stdout.write(`\n${describeLocal(local)}\n\nReady in ${seconds} s. Ctrl-C stops everything.\n`)
    const reason = await Promise.race([untilAborted(stop), local.exited])
    if (typeof reason === 'string') throw new PlatformError(reason)
  } finally {
    await local.close()
  }
}

/** Starts everything except the API. It does not change a configured database. Returns when stopped. */
export async function runPlatform({ stop, isFresh }: RunOptions): Promise<void> {
  const progress = writeProgressTo(process.stdout)
  const platform = await startPlatform({
    dir: process.env.LOCAL_DIR || defaultDir,
    api: `http://127.0.0.1:${readPort(process.env.PORT) || defaultPort}`,
    fresh: isFresh,
    signal: stop,
    progress,
  })
  try {
    if (!platform.named.postgres) await prepareDatabase(platform, progress, stop)
    const { PUBLIC_URL } = await prepareVariables(platform, { devVarsPath, progress })
    const command = nameWranglerCommand(PUBLIC_URL)
    process.stdout.write(
      `\nReady. ${platform.files.platform} has all addresses. To start the API, run in another terminal: ${command}\nCtrl-C stops everything.\n`,
    )
    await untilAborted(stop)
  } finally {
    await platform.close()
  }
}

function describeLocal({ api, file, controller, files, accounts }: Local): string {
  const rows: [string, string][] = [
    ['Console', `${api}/`],
    ['API', `${api}/api`],
    ['Swagger UI', `${api}/api/swagger`],
    ['ReDoc', `${api}/api/docs`],
    ['OpenAPI', `${api}/api/openapi.json`],
    ['Readiness', `${api}/api/health/ready`],
    ['Machine controller', `${controller.url}/machines`],
    ['Fault injection', `${file.control}/faults`],
    ['Addresses', files.platform],
    ['Log of wrangler', files.wranglerLog],
    ['For npx wrangler dev', `${devVarsPath}, with npm run platform`],
    ...accounts.map(({ username, password, isStaff }): [string, string] => [
      isStaff ? 'Log-in (staff)' : 'Log-in',
      `${username} / ${password}`,
    ]),
  ]
  return rows.map(([what, where]) => `  ${what.padEnd(20)} ${where}`).join('\n')
}
