// Decides which rows to import and under which ids. Pure: works on the rows of the files and on what the database has.
import type { OldRow, OldTable } from './dump.ts'
import { type Converted, type NewAccount, type NewJob, type NewMachine, toAccount, toJob, toMachine } from './rows.ts'

/** What the database has already, as far as it matters to the rows of the files. */
export type Existing = {
  /** New ids by old ids, from earlier imports. */
  imported: { account: ReadonlyMap<number, number>; machine: ReadonlyMap<number, number> }
  usernameKeys: ReadonlySet<string>
  emailKeys: ReadonlySet<string>
  accountIds: ReadonlySet<number>
  machineIds: ReadonlySet<number>
  /** The highest ids in use. */
  lastAccountId: number
  lastMachineId: number
}

export type Remark = { table: OldTable; line: number; text: string }

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
  rows: OldRow[],
  existing: Existing,
  ownerOf: ReadonlyMap<number, number>,
  allowPrivate: boolean,
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
    for (const { line, values } of rows.filter((row) => row.table === table)) {
      const converted = how(values)
      try {
        if ('fault' in converted) throw new RowRejected(converted.fault)
        const notes = place(converted.row)
        plan.notes.push(...[...converted.notes, ...notes].map((text) => ({ table, line, text })))
      } catch (error) {
        if (!(error instanceof RowRejected)) throw error
        plan.rejected.push({ table, line, text: error.message })
      }
    }
  }

  const accountIds = new Map(existing.imported.account)
  const assignAccountId = createIdAssigner(existing.accountIds, existing.lastAccountId, rows, 'accounts')
  const [usernames, emails] = [new Set(existing.usernameKeys), new Set(existing.emailKeys)]
  convert('accounts', toAccount, (account) => {
    if (existing.imported.account.has(account.old_id)) return countAlreadyImported(plan, 'accounts')
    if (accountIds.has(account.old_id)) throw new RowRejected(`another row has the id ${account.old_id} too`)
    if (usernames.has(account.username_key)) {
      throw new RowRejected(`the username ${account.username} is taken; usernames do not differ by case alone`)
    }
    if (emails.has(account.email_key)) throw new RowRejected(`the e-mail address ${account.email} is taken`)
    usernames.add(account.username_key)
    emails.add(account.email_key)
    const id = assignAccountId(account.old_id)
    accountIds.set(account.old_id, id)
    plan.accounts.push({ ...account, id })
    return noteNewId('account', account.old_id, id)
  })

  const machineIds = new Map(existing.imported.machine)
  const owners = new Map(ownerOf)
  const assignMachineId = createIdAssigner(existing.machineIds, existing.lastMachineId, rows, 'machines')
  convert(
    'machines',
    (values) => toMachine(values, allowPrivate),
    (machine) => {
      if (existing.imported.machine.has(machine.old_id)) return countAlreadyImported(plan, 'machines')
      if (machineIds.has(machine.old_id)) throw new RowRejected(`another row has the id ${machine.old_id} too`)
      const owner_id = find(accountIds, machine.old_owner_id, 'owner', 'account')
      const id = assignMachineId(machine.old_id)
      machineIds.set(machine.old_id, id)
      owners.set(id, owner_id)
      plan.machines.push({ ...machine, id, owner_id })
      return noteNewId('machine', machine.old_id, id)
    },
  )

  const jobIds = new Set<string>()
  convert('history', toJob, (job) => {
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
  const oldIds = rows.filter((row) => row.table === table).map(({ values }) => Number(values.id) || 0)
  let highest = oldIds.reduce((most, id) => Math.max(most, id), last)
  return (oldId) => {
    if (!inUse.has(oldId)) return oldId
    highest += 1
    return highest
  }
}
