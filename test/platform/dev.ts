// `npm run dev` and `npm run platform`: start, tell where everything is, stay until stopped.
import { untilAborted } from './lifetime.ts'
import { type Local, startLocal } from './local.ts'
import { startPlatform } from './platform.ts'
import { PlatformError } from './platform-error.ts'
import { defaultPort, readPort } from './ports.ts'
import { writeProgressTo } from './progress.ts'

export type RunOptions = { stop: AbortSignal; isFresh: boolean }

const defaultDir = '.local'

/** Everything, with the API. Returns when stopped. @throws PlatformError when the Worker ends by itself */
export async function runDev({ stop, isFresh }: RunOptions): Promise<void> {
  const startedAt = performance.now()
  const port = readPort(process.env.PORT)
  const local = await startLocal({
    dir: process.env.LOCAL_DIR || defaultDir,
    fresh: isFresh,
    signal: stop,
    progress: writeProgressTo(process.stdout),
    ...(port !== undefined && { port }),
  })
  try {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    process.stdout.write(`\n${describeLocal(local)}\n\nReady in ${seconds} s. Ctrl-C ends all of it.\n`)
    const why = await Promise.race([untilAborted(stop), local.died])
    if (typeof why === 'string') throw new PlatformError(why)
  } finally {
    await local.close()
  }
}

/** The services alone. Returns when stopped. */
export async function runPlatform({ stop, isFresh }: RunOptions): Promise<void> {
  const platform = await startPlatform({
    dir: process.env.LOCAL_DIR || defaultDir,
    api: `http://127.0.0.1:${readPort(process.env.PORT) || defaultPort}`,
    fresh: isFresh,
    signal: stop,
    progress: writeProgressTo(process.stdout),
  })
  try {
    process.stdout.write(`\nReady: ${platform.files.platform} says where. Ctrl-C ends all of it.\n`)
    await untilAborted(stop)
  } finally {
    await platform.close()
  }
}

function describeLocal({ api, file, controller, files, accounts }: Local): string {
  const rows: [string, string][] = [
    ['API', `${api}/api`],
    ['Swagger UI', `${api}/api/swagger`],
    ['ReDoc', `${api}/api/docs`],
    ['OpenAPI', `${api}/api/openapi.json`],
    ['Ready?', `${api}/api/health/ready`],
    ['Machine controller', `${controller.url}/machines`],
    ['Faults on demand', `${file.control}/faults`],
    ['Where everything is', files.platform],
    ['Log of wrangler', files.wranglerLog],
    ...accounts.map(({ username, password, isStaff }): [string, string] => [
      isStaff ? 'Log-in (staff)' : 'Log-in',
      `${username} / ${password}`,
    ]),
  ]
  return rows.map(([what, where]) => `  ${what.padEnd(20)} ${where}`).join('\n')
}
