// A Chromium for tests: the one of this machine, which asks nobody outside for anything.
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** @throws Error that says what to do when there is none */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = env.CHROMIUM
    ? [env.CHROMIUM]
    : names.flatMap((name) => folders.map((folder) => join(folder, name)))
  const found = candidates.find(isProgram)
  if (found !== undefined) return found
  const looked = env.CHROMIUM ? `CHROMIUM=${env.CHROMIUM} is no program` : `there is no ${names.join(', ')} in PATH`
  throw new Error(`No Chromium: ${looked}. Install it (Debian: apt-get install chromium) or set CHROMIUM to its path.`)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export type Browser = { context: BrowserContext; close(): Promise<void> }

/** With a profile of its own that is gone with it. */
export async function startBrowser(): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'tiebar-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    headless: true,
    viewport: { width: 1280, height: 900 },
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), // it refuses to run as root with one
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--disable-quic',
    ],
  })
  return {
    context,
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
