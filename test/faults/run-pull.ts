// Runs one scenario of the fault matrix for machines that fetch their commands: a START on one, and on another one a START
// and at once a STOP. The machines report all the time, also during the fault.
import type { Person, World } from '../harness.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { type InjectedFault, injectFault } from './inject-fault.ts'
import { isReached, recover } from './recovery.ts'
import type { Scenario } from './scenarios.ts'

const injectWithinMs = 20_000
const everySeconds = 0.2

export async function runPull(world: World, owner: Person, scenario: Scenario): Promise<string[]> {
  const fleet = await startFleet(world, owner, 2)
  const ending = new AbortController()
  const reporting = fleet.keepReporting(ending.signal, everySeconds)
  await isReached(() => fleet.reports() >= 4, injectWithinMs)
  const fault =
    scenario.service === 'controller' ? disturbMachines(fleet, scenario) : injectFault(world, scenario, () => '')
  const [first = 0, second = 0] = fleet.ids
  const commands = [
    fleet.command(first, 'START'),
    fleet.command(second, 'START').then(() => fleet.command(second, 'STOP')),
  ]
  await Promise.all(commands)
  const wasInjected = await isReached(fault.wasInjected, injectWithinMs)
  await fault.end()
  await recover(world)
  ending.abort()
  await reporting
  const violations = await fleet.findViolations()
  return wasInjected ? violations : ['the fault was never injected', ...violations]
}

/** The machine calls Tiebar, so its faults are its own: an answer with a command is lost, or each report is sent twice. */
function disturbMachines(fleet: Fleet, { fault }: Scenario): InjectedFault {
  if (fault === 'lost') fleet.loseCommands(1)
  else fleet.sendTwice(10)
  return { wasInjected: () => fleet.disturbances() > 0, end: async () => fleet.sendTwice(0) }
}
