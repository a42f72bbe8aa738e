// The variables of the local Worker: the addresses of the services, its keys, and settings from the environment.
import { readEnvironment, runtimeStandIns, settingNames } from '../../src/env.ts'
import { toVariables } from '../../src/tools/local-platform.ts'
import type { SigningKeys } from './keys.ts'
import type { ProcessEnvironment } from './named-services.ts'
import type { PlatformFile } from './platform.ts'
import { PlatformError } from './platform-error.ts'

export type WorkerVariables = Record<string, string>

/** The demo controllers are on this machine; the demo and the tests sign up many people from one address. */
const localSettings: WorkerVariables = {
  ALLOW_PRIVATE_CONTROLLERS: 'true',
  SIGN_UPS_PER_ADDRESS: '100000',
  ALLOWED_ORIGINS: '',
}

/** An empty variable counts as not set. @throws PlatformError with the names of invalid variables */
export function makeWorkerVariables(file: PlatformFile, keys: SigningKeys, env: ProcessEnvironment): WorkerVariables {
  const variables = { ...toVariables(file, keys), ...localSettings, ...readSettings(env) }
  const environment = readEnvironment({ ...variables, ...runtimeStandIns })
  if (!Array.isArray(environment)) return variables
  throw new PlatformError(environment.map(({ name, fault }) => `${name} ${fault}.`).join(' '))
}

function readSettings(env: ProcessEnvironment): WorkerVariables {
  const named = settingNames.map((name): [string, string] => [name, env[name] ?? ''])
  return Object.fromEntries(named.filter(([, value]) => value !== ''))
}
