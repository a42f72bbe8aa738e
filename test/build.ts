// The bundle as it would be deployed, made once for all that start the Worker: building takes seconds, starting less
// than one. Whoever starts other processes shares its build with them by the environment.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { unstable_getMiniflareWorkerOptions } from 'wrangler'

const projectDir = join(import.meta.dirname, '..')
const configPath = join(projectDir, 'wrangler.toml')
const wrangler = join(projectDir, 'node_modules/wrangler/bin/wrangler.js')
const sharedAs = 'WORKER_BUILD'

export type WorkerBuild = {
  /** The folder of worker.js. */
  dir: string
  /** What wrangler makes of wrangler.toml for Miniflare: bindings, assets, the compatibility date. */
  options: ReturnType<typeof unstable_getMiniflareWorkerOptions>['workerOptions']
}

let building: Promise<WorkerBuild> | undefined

/** @throws Error with what wrangler printed when there is no building it */
export function buildWorker(): Promise<WorkerBuild> {
  const shared = process.env[sharedAs]
  building ??= shared === undefined ? build() : Promise.resolve(JSON.parse(shared))
  return building
}

/** Builds for this process and those that it starts. */
export async function shareBuild(): Promise<void> {
  process.env[sharedAs] = JSON.stringify(await buildWorker())
}

async function build(): Promise<WorkerBuild> {
  const dir = mkdtempSync(join(tmpdir(), 'tiebar-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  const args = ['deploy', '--dry-run', '--outdir', dir, '--config', configPath]
  await promisify(execFile)(process.execPath, [wrangler, ...args], {
    cwd: projectDir,
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
  })
  const { unstable_getMiniflareWorkerOptions } = await import('wrangler') // takes a second to load
  return { dir, options: unstable_getMiniflareWorkerOptions(configPath).workerOptions }
}
