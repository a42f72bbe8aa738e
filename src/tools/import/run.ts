// The import as a function of its arguments: reads the files, plans, writes, and reports.
import { parseArgs } from 'node:util'
import { findDatabase } from '../named-database.ts'
import { UsageError } from '../program.ts'
import { readRows } from './dump.ts'
import { type Encoding, findEncoding } from './encoding.ts'
import { type GivenEncoding, Input, readChunks } from './input.ts'
import { type Plan, planImport, type Remark } from './plan.ts'
import { type Columns, FileError, type FileRow, type OldTable, oldTables, usualColumns } from './tables.ts'
import { openTimeZone } from './time-zone.ts'
import { readExisting, writePlan } from './write.ts'

const tables: OldTable[] = Object.values(oldTables)

/** @throws ProgramError when nothing has been written */
export async function runImport(
  args: string[],
  env: Record<string, string | undefined>,
): Promise<{ exitCode: number; report: string }> {
  const { values, positionals: files } = parseArgs({
    args,
    options: {
      'dry-run': { type: 'boolean', default: false },
      columns: { type: 'string', multiple: true, default: [] },
      encoding: { type: 'string', multiple: true, default: [] },
      'time-zone': { type: 'string' },
    },
    allowPositionals: true,
  })
  if (files.length === 0) throw new UsageError('Give at least one FILE.')
  const columns = readColumns(values.columns)
  const encodingOf = readEncodings(values.encoding, files)
  const timeZone = checkTimeZone(values['time-zone'])
  const rows = files.flatMap((file) => readFileRows(file, columns, encodingOf(file)))
  const address = findDatabase(env)
  const { existing, ownerOf } = await readExisting(address, rows)
  const allowPrivate = env.ALLOW_PRIVATE_CONTROLLERS === 'true'
  const plan = planImport(rows, existing, ownerOf, { allowPrivate, timeZone })
  const newJobs = values['dry-run'] ? plan.history.length : await writePlan(address, plan)
  const end = values['dry-run'] ? 'Nothing was written.\n' : ''
  return { exitCode: plan.rejected.length > 0 ? 3 : 0, report: describe(plan, newJobs) + end }
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

/** @throws UsageError */
function readEncodings(given: string[], files: string[]): (file: string) => GivenEncoding {
  let usual: Encoding | undefined
  const forced = new Map<string, Encoding>()
  for (const text of given) {
    const [, file, name = ''] = /^(?:(.*)=)?([^=]*)$/s.exec(text) ?? []
    const encoding = findEncoding(name)
    if (!encoding) throw new UsageError(`--encoding ${text}: give utf-8, cp949, euc-kr, utf-16le or utf-16be.`)
    if (file === undefined) usual = encoding
    else if (files.includes(file)) forced.set(file, encoding)
    else throw new UsageError(`--encoding ${text}: ${file} is none of the files.`)
  }
  return (file) => ({ usual, forced: forced.get(file) })
}

/** @throws UsageError */
function checkTimeZone(timeZone: string | undefined): string | undefined {
  try {
    if (timeZone !== undefined) openTimeZone(timeZone)
    return timeZone
  } catch {
    throw new UsageError(`--time-zone ${timeZone}: give a name of the IANA database, for example Asia/Seoul.`)
  }
}

/** @throws FileError which names the file */
function readFileRows(file: string, columns: Columns, encoding: GivenEncoding): FileRow[] {
  const chunks = readChunks(file)
  try {
    return readRows(new Input(chunks, encoding), columns).map((row) => ({ ...row, file }))
  } catch (error) {
    const advice = error instanceof FileError ? error.advice(file) : ''
    const message = `${file}: ${error instanceof Error ? error.message : error} ${advice}`.trimEnd()
    throw new FileError(`${message}\nNothing was imported.`, undefined, { cause: error })
  } finally {
    chunks.return(undefined)
  }
}

function describe({ accounts, machines, history, alreadyImported, rejected, notes }: Plan, newJobs: number): string {
  const imported = { accounts: accounts.length, machines: machines.length, history: newJobs }
  const skipped = { ...alreadyImported, history: history.length - newJobs }
  const lines = tables.map((table) => {
    const rejectedCount = rejected.filter((each) => each.table === table).length
    return `${table.padEnd(9)}${imported[table]} imported · ${skipped[table]} imported before · ${rejectedCount} not imported`
  })
  const toLine = (mark: string) => (remark: Remark) =>
    `${mark} ${remark.table}, ${remark.file}:${remark.line}: ${remark.text}`
  return `${[...lines, ...rejected.map(toLine('✗')), ...notes.map(toLine('!'))].join('\n')}\n`
}
