// The fault matrix: `npm run test:faults [-- --worlds 6] [-- words]` runs every scenario whose name contains all the
// words, in parallel in several worlds, and prints the table and `N scenarios, N held`. Exits with 1 if one fails.
import { parseArgs } from 'node:util'
import { shareBuild } from '../build.ts'
import { startWorld } from '../harness.ts'
import { shareMigrated } from '../migrated.ts'
import { runScenario } from './run-scenario.ts'
import {
  allScenarios,
  describeScenario,
  faults,
  findExclusionReason,
  type Scenario,
  services,
  steps,
  type Transport,
  transports,
} from './scenarios.ts'

const { values, positionals } = parseArgs({
  options: { worlds: { type: 'string', default: '6' } },
  allowPositionals: true,
})
const chosen = allScenarios.filter((scenario) =>
  positionals.every((word) => describeScenario(scenario).split(' ').includes(word)),
)
const waiting = chosen.filter((scenario) => findExclusionReason(scenario) === undefined)
const total = waiting.length
if (total === 0) throw new Error(`no scenario name contains all of these words: ${positionals.join(' ')}`)
const broken = new Map<Scenario, string[]>()

const [dropMigrated] = await Promise.all([shareMigrated(), shareBuild()])
const beganAt = performance.now()
await Promise.all(Array.from({ length: Math.min(Number(values.worlds), total) }, runInOneWorld))
await dropMigrated()
printTable()
for (const [scenario, violations] of broken)
  console.log(`✗ ${describeScenario(scenario)}\n    ${violations.join('\n    ')}`)
console.log(`${((performance.now() - beganAt) / 1_000).toFixed(0)} s`)
console.log(`${total} scenarios, ${total - broken.size} held`)
process.exit(broken.size === 0 ? 0 : 1) // the pipe of workerd's output would keep the process running

async function runInOneWorld(): Promise<void> {
  let world = await startWorld()
  let owner = await world.signUp()
  for (let scenario = waiting.shift(); scenario; scenario = waiting.shift()) {
    const startedAt = performance.now()
    const violations = await runScenario(world, owner, scenario).catch((error: unknown) => [String(error)])
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5)
    console.log(`${violations.length === 0 ? '✓' : '✗'} ${seconds} s  ${describeScenario(scenario)}`)
    if (violations.length === 0) continue
    broken.set(scenario, violations)
    // A new world, so that one failed scenario does not break the next one.
    await world.close()
    world = await startWorld()
    owner = await world.signUp()
  }
  await world.close()
}

function printTable(): void {
  const reasons = [...new Set(chosen.flatMap((scenario) => findExclusionReason(scenario) ?? []))]
  for (const transport of transports) printTransport(transport, reasons)
  console.log('\nnot applicable:')
  for (const [index, reason] of reasons.entries()) console.log(`  (${index + 1}) ${reason}`)
  console.log('')
}

function printTransport(transport: Transport, reasons: string[]): void {
  const show = (scenario: Scenario | undefined) => {
    if (scenario === undefined) return '·'
    const why = findExclusionReason(scenario)
    if (why !== undefined) return `(${reasons.indexOf(why) + 1})`
    return broken.has(scenario) ? 'BROKEN' : 'held'
  }
  console.log(
    `\n${transport}\n${'service'.padEnd(12)}${'fault'.padEnd(10)}${steps.map((step) => step.padEnd(9)).join('')}`,
  )
  for (const service of services) {
    for (const fault of faults) {
      const scenarios = steps.map((step) =>
        chosen.find((c) => c.transport === transport && c.service === service && c.fault === fault && c.step === step),
      )
      if (scenarios.every((scenario) => scenario === undefined)) continue
      console.log(
        `${service.padEnd(12)}${fault.padEnd(10)}${scenarios.map((scenario) => show(scenario).padEnd(9)).join('')}`,
      )
    }
  }
}
