// `.dev.vars`, from which wrangler takes the variables of a Worker that `npx wrangler dev` starts. It outlives the run, and
// every run writes it anew: the ports and passwords of the stand-ins change.
// https://developers.cloudflare.com/workers/configuration/secrets/#local-development-with-secrets
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { writeWhole } from './local-files.ts'
import { PlatformError } from './platform-error.ts'
import { defaultPort } from './ports.ts'
import type { WorkerVariables } from './worker-variables.ts'

/** Wrangler looks for it beside wrangler.toml, where npm runs its scripts. */
export const devVarsPath = resolve('.dev.vars')

const mark = '# Written by "npm run dev" and "npm run platform" whenever they start. Changes are lost.'

/** @returns false for a file that somebody else has written: that stays as it is */
export async function writeDevVars(path: string, variables: WorkerVariables): Promise<boolean> {
  const present = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return mark
    throw error
  })
  if (!present.startsWith(mark)) return false
  const lines = [
    mark,
    `# In one terminal: npm run platform. In another, after that: ${nameWranglerCommand(variables.PUBLIC_URL)}`,
    ...Object.entries(variables).map(([name, value]) => `${name}=${quote(name, value)}`),
  ]
  await writeWhole(path, `${lines.join('\n')}\n`)
  return true
}

/** The Worker must answer at its PUBLIC_URL: QStash sends the jobs there. */
export function nameWranglerCommand(publicUrl = ''): string {
  const port = URL.parse(publicUrl)?.port
  return port === String(defaultPort) ? 'npx wrangler dev' : `npx wrangler dev --port ${port}`
}

/** Without quotes, a `#` would begin a comment. The format has no escapes. https://github.com/motdotla/dotenv#rules */
function quote(name: string, value: string): string {
  const mark = ["'", '`', '"'].find((each) => !value.includes(each))
  if (mark === undefined) throw new PlatformError(`${name} has all three kinds of quotes: .dev.vars cannot hold it.`)
  return `${mark}${value}${mark}`
}
