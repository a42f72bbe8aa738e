// The fault matrix: `npm run test:faults [-- --worlds 6] [-- words]` plays every cell whose name has all the words, side
// by side in several worlds, and prints the table and `N cells, N held`. Ends with 1 if one does not hold.
import { parseArgs } from 'node:util'
import { shareBuild } from '../build.ts'
import { startWorld } from '../harness.ts'
import { openBlank } from '../platform/postgres/blank.ts'
import { play } from './life.ts'
import { allCells, type Cell, faults, nameOf, services, steps, whyNot } from './scenarios.ts'

const { values, positionals } = parseArgs({
  options: { worlds: { type: 'string', default: '6' } },
  allowPositionals: true,
})
const chosen = allCells.filter((cell) => positionals.every((word) => nameOf(cell).split(' ').includes(word)))
const waiting = chosen.filter((cell) => whyNot(cell) === undefined)
const played = waiting.length
if (played === 0) throw new Error(`no cell has all of these words: ${positionals.join(' ')}`)
const broken = new Map<Cell, string[]>()

await Promise.all([shareBuild(), ...(process.env.LOCAL_POSTGRES_URL ? [] : [openBlank()])])
const beganAt = performance.now()
await Promise.all(Array.from({ length: Math.min(Number(values.worlds), played) }, playInOneWorld))
printTable()
for (const [cell, violations] of broken) console.log(`✗ ${nameOf(cell)}\n    ${violations.join('\n    ')}`)
console.log(`${((performance.now() - beganAt) / 1_000).toFixed(0)} s`)
console.log(`${played} cells, ${played - broken.size} held`)
process.exit(broken.size === 0 ? 0 : 1) // a reader of workerd's output would keep the program alive

async function playInOneWorld(): Promise<void> {
  let world = await startWorld()
  let owner = await world.signUp()
  for (let cell = waiting.shift(); cell; cell = waiting.shift()) {
    const startedAt = performance.now()
    const violations = await play(world, owner, cell).catch((error: unknown) => [String(error)])
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5)
    console.log(`${violations.length === 0 ? '✓' : '✗'} ${seconds} s  ${nameOf(cell)}`)
    if (violations.length === 0) continue
    broken.set(cell, violations)
    // What one cell broke is not the next one's.
    await world.close()
    world = await startWorld()
    owner = await world.signUp()
  }
  await world.close()
}

function printTable(): void {
  const reasons = [...new Set(chosen.flatMap((cell) => whyNot(cell) ?? []))]
  const show = (cell: Cell | undefined) => {
    if (cell === undefined) return '·'
    const why = whyNot(cell)
    if (why !== undefined) return `(${reasons.indexOf(why) + 1})`
    return broken.has(cell) ? 'BROKEN' : 'held'
  }
  console.log(`\n${'service'.padEnd(12)}${'fault'.padEnd(10)}${steps.map((step) => step.padEnd(9)).join('')}`)
  for (const service of services) {
    for (const fault of faults) {
      const cells = steps.map((step) =>
        chosen.find((c) => c.service === service && c.fault === fault && c.step === step),
      )
      if (cells.every((cell) => cell === undefined)) continue
      console.log(`${service.padEnd(12)}${fault.padEnd(10)}${cells.map((cell) => show(cell).padEnd(9)).join('')}`)
    }
  }
  console.log('\nnot applicable:')
  for (const [index, reason] of reasons.entries()) console.log(`  (${index + 1}) ${reason}`)
  console.log('')
}
