// `npm run import -- FILE…`: takes accounts, machines and history over from the old system's database.
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type Columns, type OldTable, oldTables, readRows, usualColumns } from './import/dump.ts'
import { type Plan, planImport, type Remark } from './import/plan.ts'
import { readExisting, writePlan } from './import/write.ts'
import { findDatabase } from './named-database.ts'
import { runProgram, UsageError } from './program.ts'

const usage = `usage: npm run import -- FILE... [--dry-run] [--columns TABLE=a,b,c]

  FILE        a pg_dump --data-only --inserts (better: --column-inserts) of the old database, or a CSV with a header of
              one of its tables: ${Object.keys(oldTables).join(', ')}
  --dry-run   says what would be taken, and writes nothing
  --columns   the order of the columns in a dump that names none; TABLE is accounts, machines or history

All files are one transaction. It can be run again: what was taken is known, and not taken twice. The database is the one
of DATABASE_URL (and NEON_FETCH_ENDPOINT, if it is not Neon's), else the one in .local/platform.json, which "npm run dev"
writes; LOCAL_DIR= moves .local/. ALLOW_PRIVATE_CONTROLLERS=true keeps controllers at private addresses.

Exit codes: 0 everything is there · 1 the database said no, and nothing was written · 2 wrong usage, or a file that
cannot be read · 3 done, but rows were left out
`

const tables: OldTable[] = Object.values(oldTables)

await runProgram(usage, main)

async function main(): Promise<number> {
  const { values, positionals: files } = parseArgs({
    options: {
      'dry-run': { type: 'boolean', default: false },
      columns: { type: 'string', multiple: true, default: [] },
    },
    allowPositionals: true,
  })
  if (files.length === 0) throw new UsageError('Say which FILE.')
  const columns = readColumns(values.columns)
  const rows = (await Promise.all(files.map((file) => readTables(file, columns)))).flat()
  const address = findDatabase(process.env)
  const { existing, ownerOf } = await readExisting(address, rows)
  const plan = planImport(rows, existing, ownerOf, process.env.ALLOW_PRIVATE_CONTROLLERS === 'true')
  const newJobs = values['dry-run'] ? plan.history.length : await writePlan(address, plan)
  process.stdout.write(report(plan, newJobs))
  if (values['dry-run']) process.stdout.write('Nothing was written.\n')
  return plan.notTaken.length > 0 ? 3 : 0
}

/** @throws UsageError */
function readColumns(given: string[]): Columns {
  const columns = { ...usualColumns }
  for (const text of given) {
    const [name, list = ''] = text.split('=')
    const table = tables.find((each) => each === name)
    if (!table || list === '')
      throw new UsageError(`--columns ${text}: say TABLE=a,b,c; TABLE is ${tables.join(', ')}.`)
    columns[table] = list.split(',').map((column) => column.trim())
  }
  return columns
}

/** @throws UsageError which names the file */
async function readTables(file: string, columns: Columns) {
  try {
    return readRows(await readFile(file, 'utf8'), columns)
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : error}`)
  }
}

function report({ accounts, machines, history, known, notTaken, notes }: Plan, newJobs: number): string {
  const taken = { accounts: accounts.length, machines: machines.length, history: newJobs }
  const there = { ...known, history: history.length - newJobs }
  const lines = tables.map((table) => {
    const out = notTaken.filter((each) => each.table === table).length
    return `${table.padEnd(9)}${taken[table]} taken · ${there[table]} there already · ${out} not taken`
  })
  const tell =
    (mark: string) =>
    ({ table, line, text }: Remark) =>
      `${mark} ${table}, line ${line}: ${text}`
  return `${[...lines, ...notTaken.map(tell('✗')), ...notes.map(tell('!'))].join('\n')}\n`
}
