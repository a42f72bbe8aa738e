// Decides which rows to import and under which ids. Pure: works on the rows of the files and on what the database has.
import { accountConverter, type NewAccount } from './account-row.ts'
import type { Converted } from './converted.ts'
import { toId } from './fields.ts'
import { jobConverter, machineConverter, type NewJob, type NewMachine } from './rows.ts'
import type { FileRow, OldRow, OldTable } from './tables.ts'

/** What the database has already, as far as it matters to the rows of the files. */
export type Existing = {
  /** New ids by old ids, from earlier imports. */
  imported: { account: ReadonlyMap<number, number>; machine: ReadonlyMap<number, number> }
  /** Folded usernames of earlier imports, by old ids. */
  importedUsernames: ReadonlyMap<number, string>
  usernameKeys: ReadonlySet<string>
  emailKeys: ReadonlySet<string>
  accountIds: ReadonlySet<number>
  machineIds: ReadonlySet<number>
  /** The highest ids in use. */
  lastAccountId: number
  lastMachineId: number
}

export type Remark = { table: OldTable; file: string; line: number; text: string }

export type Placed<Row> = Row & { id: number }
export type PlacedMachine = Placed<NewMachine> & { owner_id: number }
export type PlacedJob = NewJob & { machine_id: number; machine_owner_id: number; requested_by: number }

export type Plan = {
  accounts: Placed<NewAccount>[]
  machines: PlacedMachine[]
  history: PlacedJob[]
  /** Rows of earlier imports. */
  alreadyImported: Record<OldTable, number>
  rejected: Remark[]
  notes: Remark[]
}

/**
 * An old id is kept where it is free, so that links to `/api/machines/42` still work.
 * @param ownerOf the owners of machines of earlier imports, by the ids of the machines
 */
export function planImport(
  rows: FileRow[],
  existing: Existing,
  ownerOf: ReadonlyMap<number, number>,
  { allowPrivate, timeZone }: { allowPrivate: boolean; timeZone?: string | undefined },
): Plan {
  const plan: Plan = {
    accounts: [],
    machines: [],
    history: [],
    alreadyImported: { accounts: 0, machines: 0, history: 0 },
    rejected: [],
    notes: [],
  }
  const convert = <New>(
    table: OldTable,
    how: (values: OldRow['values']) => Converted<New>,
    place: (row: New) => string[],
  ) => {
    for (const { file, line, values } of rows.filter((row) => row.table === table)) {
      const converted = how(values)
      try {
        requireUndamaged(values)
        if ('fault' in converted) throw new RowRejected(converted.fault)
        const notes = place(converted.row)
        plan.notes.push(...[...converted.notes, ...notes].map((text) => ({ table, file, line, text })))
      } catch (error) {
        if (!(error instanceof RowRejected)) throw error
        plan.rejected.push({ table, file, line, text: error.message })
      }
    }
  }

  const accountIds = new Map(existing.imported.account)
  const assignAccountId = createIdAssigner(existing.accountIds, existing.lastAccountId, rows, 'accounts')
  const [usernames, emails] = [new Set(existing.usernameKeys), new Set(existing.emailKeys)]
  const accountRows = new Set<number>()
  convert('accounts', accountConverter(timeZone), (account) => {
    requireFirst(accountRows, account.old_id)
    const importedName = existing.importedUsernames.get(account.old_id)
    if (importedName !== undefined && importedName !== account.username_key) {
      throw new RowRejected(`the id ${account.old_id} was imported before, with the username ${importedName}`)
    }
    if (existing.imported.account.has(account.old_id)) return countAlreadyImported(plan, 'accounts')
    if (usernames.has(account.username_key)) {
      throw new RowRejected(`the username ${account.username} is taken; usernames do not differ by case alone`)
    }
    if (account.email_key !== null && emails.has(account.email_key)) {
      throw new RowRejected(`the e-mail address ${account.email} is taken`)
    }
    usernames.add(account.username_key)
    if (account.email_key !== null) emails.add(account.email_key)
    const id = assignAccountId(account.old_id)
    accountIds.set(account.old_id, id)
    plan.accounts.push({ ...account, id })
    return noteNewId('account', account.old_id, id)
  })

  const machineIds = new Map(existing.imported.machine)
  const owners = new Map(ownerOf)
  const assignMachineId = createIdAssigner(existing.machineIds, existing.lastMachineId, rows, 'machines')
  const machineRows = new Set<number>()
  convert('machines', machineConverter(allowPrivate, timeZone), (machine) => {
    requireFirst(machineRows, machine.old_id)
    if (existing.imported.machine.has(machine.old_id)) return countAlreadyImported(plan, 'machines')
    const owner_id = find(accountIds, machine.old_owner_id, 'owner', 'account')
    const id = assignMachineId(machine.old_id)
    machineIds.set(machine.old_id, id)
    owners.set(id, owner_id)
    plan.machines.push({ ...machine, id, owner_id })
    return noteNewId('machine', machine.old_id, id)
  })

  const jobIds = new Set<string>()
  convert('history', jobConverter(timeZone), (job) => {
    if (jobIds.has(job.id)) throw new RowRejected('another row has the same id')
    jobIds.add(job.id)
    const machine_id = find(machineIds, job.old_machine_id, 'machine', 'machine')
    const requested_by = find(accountIds, job.old_requester_id, 'worker', 'account')
    plan.history.push({ ...job, machine_id, requested_by, machine_owner_id: owners.get(machine_id) ?? requested_by })
    return []
  })
  return plan
}

/** Its message says why a row is not imported. */
class RowRejected extends Error {}

/** U+FFFD replaces what an earlier conversion could not read. Such a row is rejected: a later import could not repair it. */
function requireUndamaged(values: OldRow['values']): void {
  const damaged = Object.entries(values).find(([, value]) => value?.includes('\ufffd'))
  if (damaged) throw new RowRejected(`${damaged[0]}: ${damaged[1]} was damaged before; export it from the old database`)
}

/** The second row of an id is rejected in every run, also if the first one was not imported. */
function requireFirst(rows: Set<number>, oldId: number): void {
  if (rows.has(oldId)) throw new RowRejected(`another row has the id ${oldId} too`)
  rows.add(oldId)
}

function countAlreadyImported(plan: Plan, table: OldTable): string[] {
  plan.alreadyImported[table] += 1
  return []
}

function find(ids: ReadonlyMap<number, number>, oldId: number, role: string, kind: string): number {
  const id = ids.get(oldId)
  if (id === undefined)
    throw new RowRejected(`its ${role}, the ${kind} ${oldId}, is not in the file or was not imported`)
  return id
}

function noteNewId(kind: string, oldId: number, id: number): string[] {
  return oldId === id ? [] : [`${kind} ${oldId} has the id ${id} now: the old id was in use`]
}

/** Gives the old id if it is free, else the next one above all ids of the database and the files. */
function createIdAssigner(
  inUse: ReadonlySet<number>,
  last: number,
  rows: OldRow[],
  table: OldTable,
): (oldId: number) => number {
  const oldIds = rows.filter((row) => row.table === table).map(({ values }) => toId(values.id) ?? 0)
  let highest = oldIds.reduce((most, id) => Math.max(most, id), last)
  return (oldId) => {
    if (!inUse.has(oldId)) return oldId
    highest += 1
    return highest
  }
}
