// Reads from the database what an import needs to know, and writes the import in one transaction.
import { foldName } from '../../accounts/account.ts'
import { foldEmail } from '../../accounts/email.ts'
import { recordProgram } from '../../accounts/sql/audit.ts'
import { toStatement } from '../../infra/database.ts'
import type { Statement } from '../../infra/sql-client.ts'
import { type DatabaseAddress, DatabaseError, runStatements } from '../statements.ts'
import { toId } from './fields.ts'
import type { Existing, Plan } from './plan.ts'
import type { OldRow } from './tables.ts'

/** A limit of our own, whose message says what to do. If Neon refuses less than this, nothing is written either. */
const maxBodyBytes = 60 * 1024 * 1024

type Found = { existing: Existing; ownerOf: Map<number, number> }

export async function readExisting(address: DatabaseAddress, rows: OldRow[]): Promise<Found> {
  const names = (column: string, fold: (name: string) => string) =>
    JSON.stringify(rows.flatMap(({ values }) => (values[column] ? fold(values[column]) : [])))
  const ids = (table: OldRow['table']) =>
    JSON.stringify(rows.filter((row) => row.table === table).flatMap(({ values }) => toId(values.id) ?? []))
  const inList = 'SELECT value FROM jsonb_array_elements_text($1::jsonb)'
  const [imported, usernames, emails, accountIds, machineIds, last, owners, importedNames] = await runStatements(
    address,
    [
      { query: 'SELECT kind, old_id::float8, new_id::float8 FROM imported_rows' },
      {
        query: `SELECT username_key AS key FROM accounts WHERE username_key IN (${inList})`,
        params: [names('username', foldName)],
      },
      {
        query: `SELECT email_key AS key FROM accounts WHERE email_key IN (${inList})`,
        params: [names('email', foldEmail)],
      },
      { query: `SELECT id::float8 AS key FROM accounts WHERE id::text IN (${inList})`, params: [ids('accounts')] },
      { query: `SELECT id::float8 AS key FROM machines WHERE id::text IN (${inList})`, params: [ids('machines')] },
      {
        query: `SELECT (SELECT coalesce(max(id), 0) FROM accounts)::float8 AS account,
        (SELECT coalesce(max(id), 0) FROM machines)::float8 AS machine`,
      },
      {
        query: `SELECT m.id::float8, m.owner_id::float8 FROM machines m
        JOIN imported_rows r ON r.kind = 'machine' AND r.new_id = m.id`,
      },
      {
        query: `SELECT r.old_id::float8, a.username_key FROM accounts a
        JOIN imported_rows r ON r.kind = 'account' AND r.new_id = a.id`,
      },
    ],
  )
  const keys = <Key>(found: Record<string, unknown>[] = []) => new Set(found.map(({ key }) => key as Key)) // as cast above
  const ofKind = (kind: string) =>
    new Map(imported?.filter((row) => row.kind === kind).map((row) => [Number(row.old_id), Number(row.new_id)]))
  return {
    existing: {
      imported: { account: ofKind('account'), machine: ofKind('machine') },
      importedUsernames: new Map(importedNames?.map((row) => [Number(row.old_id), String(row.username_key)])),
      usernameKeys: keys(usernames),
      emailKeys: keys(emails),
      accountIds: keys(accountIds),
      machineIds: keys(machineIds),
      lastAccountId: Number(last?.[0]?.account),
      lastMachineId: Number(last?.[0]?.machine),
    },
    ownerOf: new Map(owners?.map(({ id, owner_id }) => [Number(id), Number(owner_id)])),
  }
}

/** @returns the number of jobs that were not imported before. @throws DatabaseError when nothing has been written */
export async function writePlan(address: DatabaseAddress, plan: Plan): Promise<number> {
  const statements: Statement[] = [
    // Two imports at once would choose the same ids.
    { query: 'LOCK TABLE imported_rows IN EXCLUSIVE MODE' },
    toStatement(recordProgram('database.import')),
    { query: insertAccounts, params: [JSON.stringify(plan.accounts)] },
    { query: insertMachines, params: [JSON.stringify(plan.machines)] },
    { query: raiseIdentity('accounts') },
    { query: raiseIdentity('machines') },
    { query: insertJobs, params: [JSON.stringify(plan.history)] },
  ]
  const size = statements.reduce((sum, { params = [] }) => sum + Buffer.byteLength(params.join('')), 0)
  if (size > maxBodyBytes) {
    const advice = 'Import the accounts and machines first, and then the history in parts: imported rows are skipped.'
    throw new DatabaseError(
      `The import is ${Math.ceil(size / 2 ** 20)} MiB, too much for one transaction over HTTP. ${advice}`,
    )
  }
  const results = await runStatements(address, statements)
  return Number(results.at(-1)?.[0]?.inserted)
}

const insertAccounts = `
  WITH new_rows AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS t (id bigint, old_id bigint, username text, username_key text,
      email text, email_key text, first_name text, last_name text, password_hash text, is_active boolean,
      date_joined timestamptz, last_login timestamptz)
  ), recorded AS (
    INSERT INTO imported_rows (kind, old_id, new_id) SELECT 'account', old_id, id FROM new_rows
  )
  INSERT INTO accounts (id, username, username_key, email, email_key, first_name, last_name, password_hash, is_active,
    date_joined, last_login)
  OVERRIDING SYSTEM VALUE
  SELECT id, username, username_key, email, email_key, first_name, last_name, password_hash, is_active,
    coalesce(date_joined, now()), last_login
  FROM new_rows`

const insertMachines = `
  WITH new_rows AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS t (id bigint, old_id bigint, name text, location text, status text,
      owner_id bigint, controller_url text, created_at timestamptz, updated_at timestamptz)
  ), recorded AS (
    INSERT INTO imported_rows (kind, old_id, new_id) SELECT 'machine', old_id, id FROM new_rows
  )
  INSERT INTO machines (id, name, location, status, owner_id, controller_url, created_at, updated_at, status_at)
  OVERRIDING SYSTEM VALUE
  SELECT id, name, location, status, owner_id, controller_url, coalesce(created_at, now()),
    coalesce(updated_at, created_at, now()), coalesce(updated_at, created_at, now())
  FROM new_rows`

/** Raises the identity above the imported ids, so that the next INSERT gets a free one. */
function raiseIdentity(table: 'accounts' | 'machines'): string {
  return `SELECT setval(pg_get_serial_sequence('${table}', 'id'), greatest(max(id), 1), max(id) IS NOT NULL) FROM ${table}`
}

/** The old system did not store when a job ended: the time of the request stands for it. */
const insertJobs = `
  WITH new_rows AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS t (id uuid, machine_id bigint, machine_owner_id bigint, command text,
      state text, result text, reason text, requested_by bigint, requested_at timestamptz, expires_in int)
  ), inserted AS (
    INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, result, reason, requested_by, requested_at,
      not_after, finished_at, published_at)
    SELECT id, machine_id, machine_owner_id, command, state, result, reason, requested_by, requested_at,
      requested_at + make_interval(secs => expires_in), requested_at, requested_at
    FROM new_rows
    ON CONFLICT (id) DO NOTHING
    RETURNING *
  ), events AS (
    INSERT INTO job_events (job_id, version, state, at, by, reason)
    SELECT id, version, state, requested_at, requested_by::text, reason FROM inserted
  )
  SELECT count(*)::float8 AS inserted FROM inserted`
