// The Worker under `wrangler dev`: a child process that gets every binding as an argument, keeps its data in the run's folder
// and makes no requests to the internet.
import { createWriteStream } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import { untilAborted } from './lifetime.ts'
import type { LocalFiles } from './local-files.ts'
import { PlatformError } from './platform-error.ts'
import { type ProcessGroup, spawnGroup } from './process-group.ts'

export type WranglerOptions = {
  port: number
  bindings: Record<string, string>
  files: LocalFiles
  /** The Worker's configuration; by default the project's own. */
  configPath?: string
  /** Called with each line of an error of wrangler or the Worker. */
  onError?: (line: string) => void
  signal?: AbortSignal
}

export type Wrangler = {
  /** Resolves when it has exited unexpectedly, with the exit code or signal and the end of its log. */
  exited: Promise<string>
  close(): Promise<void>
}

const projectDir = join(import.meta.dirname, '../..')
const program = join(projectDir, 'node_modules/wrangler/bin/wrangler.js')
const guard = join(import.meta.dirname, 'parent-guard.ts')
const readyWithinMs = 120_000
const endGraceMs = 5_000
const tailLength = 30

/**
 * Resolves when wrangler is ready.
 * @throws PlatformError if it exits, or is not ready after a minute; `signal.reason` when aborted
 */
export async function startWrangler(options: WranglerOptions): Promise<Wrangler> {
  const group = spawnGroup(process.execPath, ['--import', guard, program, ...argumentsOf(options)], {
    cwd: projectDir,
    env: { ...process.env, ...environmentOf(options.files) },
    stdio: 'pipe',
  })
  const { ready, tail, stopReporting } = follow(group, options)
  const exited = group.exited.then((how) => `wrangler dev has exited (${how}). The end of its log:\n${tail()}`)
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), readyWithinMs)
  const failed = await Promise.race([
    ready,
    exited.then((why) => new PlatformError(why)),
    untilAborted(late.signal).then(() => new PlatformError(`wrangler dev is not ready after a minute:\n${tail()}`)),
    ...(options.signal ? [untilAborted(options.signal).then(() => options.signal?.reason)] : []),
  ])
  clearTimeout(timer)
  if (failed !== undefined) {
    stopReporting()
    await group.end(endGraceMs)
    throw failed
  }
  return {
    exited,
    close() {
      stopReporting() // its messages about its end are in the log only
      return group.end(endGraceMs)
    },
  }
}

/** Writes the log, reports errors, and keeps the last lines. */
function follow({ child }: ProcessGroup, { files, onError }: WranglerOptions) {
  const log = createWriteStream(files.wranglerLog)
  const lastLines: string[] = []
  let isReporting = true
  const { promise: ready, resolve } = Promise.withResolvers<undefined>()
  const take = (line: string) => {
    log.write(`${line}\n`)
    lastLines.push(line)
    if (lastLines.length > tailLength) lastLines.shift()
  }
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (raw) => {
      const line = stripVTControlCharacters(raw)
      take(line)
      if (line.includes('Ready on http')) resolve(undefined)
      // The program that writes the pages prints nothing but errors.
      if (isReporting && /^\[custom build\] (?!Running:)\S/.test(line)) onError?.(line)
    })
  }
  if (child.stderr) {
    let isError = true // until a line begins a warning
    createInterface({ input: child.stderr }).on('line', (raw) => {
      const line = stripVTControlCharacters(raw)
      take(line)
      if (/^\S+ \[[A-Z]+\]/.test(line)) isError = line.includes('[ERROR]')
      if (isReporting && isError && line.trim() !== '') onError?.(line)
    })
  }
  child.once('close', () => log.end())
  return {
    ready,
    tail: () => lastLines.join('\n'),
    stopReporting() {
      isReporting = false
    },
  }
}

function argumentsOf({ port, bindings, files, configPath }: WranglerOptions): string[] {
  return [
    'dev',
    ...(configPath === undefined ? [] : ['--config', configPath]),
    ...['--ip', '127.0.0.1', '--port', String(port)],
    ...['--inspector-port', '0'], // any free one: two runs cannot both use the default
    ...['--env-file', devNull], // instead of .dev.vars and .env, which would override the arguments
    ...['--persist-to', join(files.wrangler, 'state')],
    '--show-interactive-dev-session=false',
    ...Object.entries(bindings).flatMap(([name, value]) => ['--var', `${name}:${value}`]),
  ]
}

/** https://developers.cloudflare.com/workers/wrangler/system-environment-variables/ */
function environmentOf({ wrangler }: LocalFiles): Record<string, string> {
  return {
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_HIDE_BANNER: 'true', // the banner asks the npm registry for a newer version
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    X_LOCAL_EXPLORER: 'false',
    X_LOCAL_OBSERVABILITY: 'false',
    XDG_CONFIG_HOME: join(wrangler, 'config'),
    WRANGLER_REGISTRY_PATH: join(wrangler, 'registry'),
    WRANGLER_LOG_PATH: join(wrangler, 'logs'),
    WRANGLER_CACHE_DIR: join(wrangler, 'cache'),
    NO_COLOR: '1',
    FORCE_COLOR: '0',
  }
}
