// `npm run demo`: starts everything on free ports, and runs one scenario over HTTP. An unexpected answer ends it with an error.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runReports } from './demo-reports.ts'
import { type Body, type Print, Scenario } from './demo-scenario.ts'
import { type Local, startLocal } from './local.ts'
import { PlatformError } from './platform-error.ts'
import { writeProgressTo } from './progress.ts'

/** Returns when the scenario has run and everything has stopped. @throws PlatformError for an unexpected answer */
export async function runDemo({ stop }: { stop: AbortSignal }): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'tiebar-demo-'))
  const print: Print = (text = '') => process.stdout.write(`${text}\n`)
  try {
    const local = await startLocal({ dir, port: 0, signal: stop, progress: writeProgressTo(process.stdout) })
    try {
      const startedAt = performance.now()
      const scenario = new Scenario(local, stop, print)
      await Promise.race([
        runScenario(scenario, local, print),
        local.exited.then((why) => Promise.reject(new PlatformError(why))),
      ])
      print(`\nThe scenario took ${((performance.now() - startedAt) / 1_000).toFixed(1)} s. Stopping everything.`)
    } finally {
      await local.close()
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function runScenario(scenario: Scenario, { controller }: Local, print: Print): Promise<void> {
  controller.machine('press-1').behave({ mode: 'warm-up', after_ms: 1_500, only: 'START', detail: 'barrel at 220 °C' })
  controller.machine('press-2').behave({ mode: 'away' })

  print('\n1. A person signs up.')
  const name = `minji-${Date.now().toString(36)}`
  const joined = await scenario.ask('POST', '/api/sign-up', 201, {
    username: name,
    password: 'tie-bar-spacing-470',
    email: `${name}@example.com`,
    first_name: '민지',
    last_name: '김',
  })
  scenario.token = String((joined.token as Body).access)

  print('\n2. She registers an injection moulding machine, at the address of its controller.')
  const press = await scenario.ask('POST', '/api/machines', 201, {
    name: '사출기 7호 LS Mtron WIZ 220E',
    location: '1공장 A열 7번',
    controller_url: controller.machine('press-1').url,
  })

  print('\n3. START. The answer is a job; the job reports what the machine did. This machine has to warm up first.')
  const start = await scenario.ask('POST', `/api/machines/${press.id}/operation`, 202, { command: 'START' })
  await scenario.watch(start, ['QUEUED', 'SENT', 'PENDING', 'SUCCEEDED'])
  await scenario.expectMachine(press, 'RUNNING')

  print('\n4. A second START is refused: the machine is running.')
  const refusal = await scenario.ask('POST', `/api/machines/${press.id}/operation`, 409, { command: 'START' })
  scenario.expect('code', refusal.code, 'wrong_state')

  print('\n5. STOP.')
  const stop = await scenario.ask('POST', `/api/machines/${press.id}/operation`, 202, { command: 'STOP' })
  await scenario.watch(stop, ['QUEUED', 'SENT', 'SUCCEEDED'])
  await scenario.expectMachine(press, 'READY')

  print('\n6. The history of the machine, newest first.')
  const history = await scenario.ask('GET', `/api/machines/${press.id}/history`, 200)
  const jobs = history.items as Body[]
  for (const { command, state, result, requested_at } of jobs) {
    print(`     ${requested_at}  ${String(command).padEnd(5)} ${state} (${result})`)
  }
  const summary = jobs.map(({ command, state }) => `${command} ${state}`)
  scenario.expect('history', summary, ['STOP SUCCEEDED', 'START REJECTED', 'START SUCCEEDED'])

  print('\n7. A machine whose controller is unavailable: four attempts, 1, 2 and 4 s apart, then the job has FAILED.')
  const dead = await scenario.ask('POST', '/api/machines', 201, {
    name: '사출기 8호',
    location: '1공장 A열 8번',
    controller_url: controller.machine('press-2').url,
  })
  const lost = await scenario.ask('POST', `/api/machines/${dead.id}/operation`, 202, { command: 'START' })
  const end = await scenario.watch(lost, ['QUEUED', 'SENT', 'FAILED'])
  scenario.expect('attempts', end.attempts, 4)
  scenario.expect('reason', end.reason, 'outcome_unknown')
  await scenario.expectMachine(dead, 'ERROR')

  await runShift(scenario, name, press, print)
  await runReports(scenario, print)

  print('\n17. She logs out, and her token is invalid at once.')
  await scenario.ask('POST', '/api/log-out', 204)
  await scenario.ask('GET', '/api/me', 401)
}

/** The part of the scenario with a site, whose manager lets a second person operate the machine. */
async function runShift(scenario: Scenario, name: string, press: Body, print: Print): Promise<void> {
  print('\n8. She makes a site of her plant and moves the machine into it. Nobody else can see it any more.')
  const site = await scenario.ask('POST', '/api/sites', 201, { name: '1공장' })
  await scenario.ask('PATCH', `/api/machines/${press.id}`, 200, { site_id: site.id })
  const manager = scenario.token
  const operator = await scenario.ask('POST', '/api/sign-up', 201, {
    username: `jisoo-${name}`,
    password: 'clamp-force-2200',
    email: `jisoo-${name}@example.com`,
    first_name: '지수',
    last_name: '박',
  })
  const { id: operatorId, username } = operator.user as { id: number; username: string }
  scenario.token = String((operator.token as Body).access)
  await scenario.ask('GET', `/api/machines/${press.id}`, 404)

  print('\n9. As a manager of the site, she adds an operator.')
  const operatorToken = scenario.token
  scenario.token = manager
  await scenario.ask('POST', `/api/sites/${site.id}/members`, 201, { username, role: 'operator' })

  print('\n10. The operator starts the machine. The history has her own account.')
  scenario.token = operatorToken
  const start = await scenario.ask('POST', `/api/machines/${press.id}/operation`, 202, { command: 'START' })
  await scenario.watch(start, ['QUEUED', 'SENT', 'PENDING', 'SUCCEEDED'])
  scenario.expect('requested_by', start.requested_by, operatorId)
  await scenario.ask('PATCH', `/api/machines/${press.id}`, 403, { name: 'Mine' })

  print('\n11. The operator leaves the site, and her token is worth nothing for this machine.')
  await scenario.ask('DELETE', `/api/sites/${site.id}/members/${operatorId}`, 204)
  await scenario.ask('POST', `/api/machines/${press.id}/operation`, 404, { command: 'STOP' })
  scenario.token = manager
  const stop = await scenario.ask('POST', `/api/machines/${press.id}/operation`, 202, { command: 'STOP' })
  await scenario.watch(stop, ['QUEUED', 'SENT', 'SUCCEEDED'])
}
