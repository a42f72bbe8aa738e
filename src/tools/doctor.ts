// `npm run doctor`: is this environment well? A green or red line for each thing that it needs, with what to do.
import { parseArgs, styleText } from 'node:util'
import { type Finding, runChecks } from './doctor/checks.ts'
import { readVariables } from './doctor/variables.ts'
import { runProgram, UsageError } from './program.ts'

const usage = `usage: npm run doctor -- [--env NAME] [--secrets FILE] [--url URL] [--cron-seconds N]

  --env NAME         takes the vars of [env.NAME.vars] in wrangler.toml
  --secrets FILE     takes the secrets of the JSON file that wrangler secret bulk was given
  --url URL          where it answers, if that is not PUBLIC_URL
  --cron-seconds N   how long to wait for the cron (75)

Variables of this shell win over both. Without --env, --secrets and variables, the local platform is checked, as
.local/platform.json describes it; LOCAL_DIR= moves .local/. Values are never shown.

Exit codes: 0 all is well · 1 something is not · 2 wrong usage
`

await runProgram(usage, async () => {
  const { values } = parseArgs({
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
  const { variables, localFile } = await readVariables({ env, secrets }, process.env)
  if (localFile) process.stdout.write(`No variables are set: this is the local platform of ${localFile}.\n\n`)
  const findings = await runChecks({ variables, url: url?.replace(/\/$/, ''), cronSeconds: Number(cron) }, show)
  const bad = findings.filter(({ isGood }) => !isGood).length
  process.stdout.write(bad === 0 ? '\nAll is well.\n' : `\n${bad} to mend.\n`)
  return bad === 0 ? 0 : 1
})

function show({ title, isGood, text }: Finding): void {
  const mark = isGood ? styleText('green', '✓') : styleText('red', '✗')
  process.stdout.write(`${mark} ${title.padEnd(28)} ${text}\n`)
}
