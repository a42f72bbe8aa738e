// `npm run doctor`: verifies an environment. Prints a line for each check, green, or red with what to do.
import { parseArgs, styleText } from 'node:util'
import { type Finding, runChecks } from './doctor/checks.ts'
import { readVariables } from './doctor/variables.ts'
import { type Program, runProgram, UsageError } from './program.ts'

const usage = `usage: npm run doctor -- [--env NAME] [--secrets FILE] [--url URL] [--cron-seconds N]

  --env NAME         takes the vars of [env.NAME.vars] in wrangler.toml
  --secrets FILE     takes the secrets of the JSON file that wrangler secret bulk was given
  --url URL          the URL to check, if it is not PUBLIC_URL
  --cron-seconds N   how long to wait for the cron; the default is 75

Variables of the shell override both. Without --env, --secrets and variables, the local platform is checked, as
.local/platform.json describes it; LOCAL_DIR= moves .local/. Values are never shown.

Exit codes: 0 all checks passed · 1 a check failed · 2 wrong usage
`

const main: Program['main'] = async (args, { env: shell, stdout }) => {
  const { values } = parseArgs({
    args,
    options: {
      env: { type: 'string' },
      secrets: { type: 'string' },
      url: { type: 'string' },
      'cron-seconds': { type: 'string', default: '75' },
    },
  })
  const { env, secrets, url, 'cron-seconds': cron } = values
  if (url !== undefined && !/^https?:/.test(url)) throw new UsageError('--url must be an http or https URL.')
  if (!/^\d+(\.\d+)?$/.test(cron)) throw new UsageError('--cron-seconds must be a number.')
  const { variables, localFile } = await readVariables({ env, secrets }, shell)
  if (localFile) stdout.write(`No variables are set: checking the local platform of ${localFile}.\n\n`)
  const findings = await runChecks({ variables, url: url?.replace(/\/$/, ''), cronSeconds: Number(cron) }, (finding) =>
    stdout.write(describeFinding(finding)),
  )
  const failed = findings.filter(({ isGood }) => !isGood).length
  stdout.write(`\n${describeCount(failed)}\n`)
  return failed === 0 ? 0 : 1
}

function describeCount(failed: number): string {
  if (failed === 0) return 'All checks passed.'
  return failed === 1 ? '1 check failed.' : `${failed} checks failed.`
}

function describeFinding({ title, isGood, text }: Finding): string {
  const mark = isGood ? styleText('green', '✓') : styleText('red', '✗')
  return `${mark} ${title.padEnd(28)} ${text}\n`
}

export const program: Program = { usage, main }
if (import.meta.main) await runProgram(program)
