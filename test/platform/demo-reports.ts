// The part of the scenario with a machine behind NAT: no port of it is open. It reports, and fetches its commands.
import type { Body, Print, Scenario } from './demo-scenario.ts'

/** The shortest interval, so that the machine is stale after 15 s. */
const intervalSeconds = 5

export async function runReports(scenario: Scenario, print: Print): Promise<void> {
  print('\n12. A machine behind NAT has no address. It gets a key, and reports.')
  const press = await scenario.ask('POST', '/api/machines', 201, { name: '사출기 9호', location: '2공장' })
  const made = await scenario.ask('POST', '/api/keys', 201, {
    name: '사출기 9호',
    scopes: ['report'],
    machine_id: press.id,
  })
  const manager = scenario.token
  let seq = 0
  /** Reports as the machine. */
  const report = async (members: Body): Promise<Body> => {
    scenario.token = String(made.secret)
    seq += 1
    const body = { boot_id: 'demo', seq, interval_seconds: intervalSeconds, ...members }
    const answer = await scenario.ask('POST', `/api/machines/${press.id}/reports`, 200, body)
    scenario.token = manager
    return answer
  }
  await report({ status: 'READY' })

  print('\n13. START. The command comes with the answer to the next report, and its outcome with the one after.')
  const start = await scenario.ask('POST', `/api/machines/${press.id}/operation`, 202, { command: 'START' })
  const { command } = (await report({ status: 'READY' })) as { command: Body }
  scenario.expect('job', command.job_id, start.id)
  await report({ status: 'RUNNING', cycles: 1, outcome: { job_id: start.id, result: 'SUCCESS' } })
  await scenario.watch(start, ['QUEUED', 'SENT', 'SUCCEEDED'])
  const running = await scenario.ask('GET', `/api/machines/${press.id}`, 200)
  scenario.expect('status', [running.status, running.status_source], ['RUNNING', 'report'])

  print('\n14. It stops by itself, and says so.')
  await report({ status: 'ERROR', alarm: { code: 'E-204', text: '금형 보호 이상' } })
  await scenario.expectMachine(press, 'ERROR')
  await report({ status: 'READY', cycles: 2 })

  print('\n15. A hold keeps a START away, and the preflight says whose it is.')
  const hold = await scenario.ask('POST', `/api/machines/${press.id}/holds`, 201, { reason: '금형 교체 중' })
  const preflight = await scenario.ask('GET', `/api/machines/${press.id}/preflight?command=START`, 200)
  scenario.expect('may', preflight.may, false)
  const held = await scenario.ask('POST', `/api/machines/${press.id}/operation`, 409, { command: 'START' })
  scenario.expect('code', held.code, 'held')
  await scenario.ask('DELETE', `/api/machines/${press.id}/holds/${hold.id}`, 204)

  print(
    `\n16. It falls silent. After three intervals of ${intervalSeconds} s nobody knows what it does: it is not started.`,
  )
  await scenario.waitForMachine(press, ({ reported }) => (reported as Body).is_fresh === false)
  const stale = await scenario.ask('POST', `/api/machines/${press.id}/operation`, 409, { command: 'START' })
  scenario.expect('code', stale.code, 'stale')
}
