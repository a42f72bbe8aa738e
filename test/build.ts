// Builds the bundle as it is deployed, once for all tests that start the Worker: a build takes seconds, a start less
// than one. Child processes get the build through the environment.
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
  /** The Miniflare options that wrangler derives from wrangler.toml: bindings, assets, the compatibility date. */
  options: ReturnType<typeof unstable_getMiniflareWorkerOptions>['workerOptions']
}

let building: Promise<WorkerBuild> | undefined

/** @throws Error with the output of wrangler when the build fails */
export function buildWorker(): Promise<WorkerBuild> {
  const shared = process.env[sharedAs]
  building ??= shared === undefined ? build() : Promise.resolve(JSON.parse(shared))
  return building
}

/** Builds for this process and its child processes. */
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
