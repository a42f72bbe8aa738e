// `npm run import -- FILE…`: imports accounts, machines and history from the old system's database.
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
  --dry-run   reports what would be imported, and writes nothing
  --columns   the order of the columns in a dump that does not name them; TABLE is accounts, machines or history

All files are imported in one transaction. It is safe to repeat: imported rows are skipped. The database is the one
of DATABASE_URL (and NEON_FETCH_ENDPOINT, if it is not Neon's), else the one in .local/platform.json, which "npm run dev"
writes; LOCAL_DIR= moves .local/. ALLOW_PRIVATE_CONTROLLERS=true keeps controllers at private addresses.

Exit codes: 0 every row is imported · 1 an error of the database, and nothing was written · 2 wrong usage, or a file
that cannot be read · 3 done, but some rows were not imported
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
  if (files.length === 0) throw new UsageError('Give at least one FILE.')
  const columns = readColumns(values.columns)
  const rows = (await Promise.all(files.map((file) => readTables(file, columns)))).flat()
  const address = findDatabase(process.env)
  const { existing, ownerOf } = await readExisting(address, rows)
  const plan = planImport(rows, existing, ownerOf, process.env.ALLOW_PRIVATE_CONTROLLERS === 'true')
  const newJobs = values['dry-run'] ? plan.history.length : await writePlan(address, plan)
  process.stdout.write(report(plan, newJobs))
  if (values['dry-run']) process.stdout.write('Nothing was written.\n')
  return plan.rejected.length > 0 ? 3 : 0
}

/** @throws UsageError */
function readColumns(given: string[]): Columns {
  const columns = { ...usualColumns }
  for (const text of given) {
    const [name, list = ''] = text.split('=')
    const table = tables.find((each) => each === name)
    if (!table || list === '')
      throw new UsageError(`--columns ${text}: give TABLE=a,b,c; TABLE is ${tables.join(', ')}.`)
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

function report({ accounts, machines, history, alreadyImported, rejected, notes }: Plan, newJobs: number): string {
  const imported = { accounts: accounts.length, machines: machines.length, history: newJobs }
  const skipped = { ...alreadyImported, history: history.length - newJobs }
  const lines = tables.map((table) => {
    const rejectedCount = rejected.filter((each) => each.table === table).length
    return `${table.padEnd(9)}${imported[table]} imported · ${skipped[table]} imported before · ${rejectedCount} not imported`
  })
  const describe =
    (mark: string) =>
    ({ table, line, text }: Remark) =>
      `${mark} ${table}, line ${line}: ${text}`
  return `${[...lines, ...rejected.map(describe('✗')), ...notes.map(describe('!'))].join('\n')}\n`
}
