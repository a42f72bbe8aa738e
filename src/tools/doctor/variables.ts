// The doctor's variables: from wrangler.toml and a file of secrets, from the shell, or from the local platform.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { environmentNames, settingNames } from '../../env.ts'
import { nameLocalFile, type ProcessEnvironment, platformFile, readLocalFile, toVariables } from '../local-platform.ts'
import { UsageError } from '../program.ts'

export type Variables = {
  variables: ProcessEnvironment
  /** The file of the local platform, if they come from there. */
  localFile?: string
}

/** @throws UsageError that says which of the sources cannot be read */
export async function readVariables(
  { env, secrets }: { env?: string | undefined; secrets?: string | undefined },
  shell: ProcessEnvironment,
): Promise<Variables> {
  const namesService = environmentNames.some((name) => !settingNames.includes(name) && shell[name])
  if (env !== undefined || secrets !== undefined || namesService)
    return { variables: { ...(await readVars(env)), ...readSecrets(secrets), ...shell } }
  const localFile = nameLocalFile(shell, 'platform.json')
  return { variables: { ...readLocalPlatform(localFile, shell), ...shell }, localFile }
}

/** As `npm run dev` gives them to the Worker. */
function readLocalPlatform(path: string, shell: ProcessEnvironment): Record<string, string> {
  const question = 'Which environment? No variables are set'
  const platform = readLocalFile(path, platformFile, question)
  const keys = readLocalFile(nameLocalFile(shell, 'keys.json'), z.unknown(), question)
  return { ...toVariables(platform, keys), ALLOW_PRIVATE_CONTROLLERS: 'true' }
}

/** @throws UsageError when wrangler.toml has no such environment */
async function readVars(env: string | undefined): Promise<Record<string, string>> {
  if (env === undefined) return {}
  try {
    const { unstable_readConfig } = await import('wrangler') // takes a second to load
    const { vars } = unstable_readConfig({ config: 'wrangler.toml', env })
    return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, String(value)]))
  } catch {
    throw new UsageError(`wrangler.toml has no environment ${env}.`)
  }
}

/** @throws UsageError when there is no such file, or its JSON is not names and texts */
function readSecrets(path: string | undefined): Record<string, string> {
  if (path === undefined) return {}
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    throw new UsageError(`${path} does not exist, or is not a JSON object of names and texts.`)
  }
}
