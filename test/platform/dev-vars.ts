// `.dev.vars`, from which `npx wrangler dev` takes the Worker's variables. It is kept after a run, and every run replaces it,
// because the ports and passwords of the stand-ins change.
// https://developers.cloudflare.com/workers/configuration/secrets/#local-development-with-secrets
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { writeWhole } from './local-files.ts'
import { PlatformError } from './platform-error.ts'
import { defaultPort } from './ports.ts'
import type { WorkerVariables } from './worker-variables.ts'

/** Wrangler reads it beside wrangler.toml, which is where npm runs scripts. */
export const devVarsPath = resolve('.dev.vars')

const mark = '# Written by "npm run dev" and "npm run platform" whenever they start. Changes are lost.'

/** @returns false for a file that no run has written: it is not changed */
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
  if (mark === undefined)
    throw new PlatformError(`${name} has all three kinds of quotes, which .dev.vars does not support.`)
  return `${mark}${value}${mark}`
}
