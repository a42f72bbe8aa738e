// Finds and starts the installed Chromium for tests, without network access to other hosts.
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** @throws Error with instructions when there is none */
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

export type BrowserOptions = { viewport?: { width: number; height: number }; locale?: string }

export type Browser = { context: BrowserContext; close(): Promise<void> }

/** Starts it with its own profile, which is deleted when it closes. */
export async function startBrowser(options: BrowserOptions = {}): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'tiebar-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    headless: true,
    viewport: { width: 1280, height: 900 },
    ...options,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), // it does not run as root with a sandbox
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
