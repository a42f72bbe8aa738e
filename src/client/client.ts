// The typed client of the API, for Node 20 and later, browsers and Workers. It uses an API key, or the tokens of a session,
// which it refreshes. It retries what is safe to retry, reads lists page by page, and waits for jobs. Its types come from
// the OpenAPI document of the API.
import type * as api from './api.ts'
import { type Answer, type Ask, type Call, type Input, type OperationName, openCall } from './call.ts'
import { type Change, type ChangesOptions, followChanges } from './changes.ts'
import { follow, type StartedJob, type WatchOptions, watch } from './job.ts'
import { type Listing, type Query, walk } from './pages.ts'
import { openSites } from './sites.ts'
import { openTransport, type TransportOptions } from './transport.ts'

export type {
  BoardMachine,
  Job,
  JobCommand,
  JobEvent,
  JobResult,
  JobState,
  Key,
  Machine,
  MachineReport,
  MachineStatus,
  NewKey,
  NewMachine,
  ProblemCode,
  SiteReport,
  User,
} from './api.ts'
export type { Change, ChangesOptions } from './changes.ts'
export { JobFailed, type StartedJob, type WatchOptions } from './job.ts'
export type { Listing, Page } from './pages.ts'
export { TiebarProblem } from './problem.ts'
export type { Tokens } from './transport.ts'

/** A machine and the ETag of what was read. With it as `ifMatch`, a change fails if the machine has changed since. */
export type VersionedMachine = api.Machine & { readonly etag: string }

export type ClientOptions = TransportOptions

export type IfMatch = { ifMatch?: string }

export type IdempotencyOptions = {
  /** Your own Idempotency-Key. Requests of several processes with the same key take effect once. Default: a new UUID. */
  idempotencyKey?: string
}

export type OperateOptions = IdempotencyOptions & {
  /** Seconds after which the command is no longer sent; 60 for START, 600 for STOP. */
  expiresIn?: number
}

export type ReportOptions = { waitSeconds?: number }

export type Client = ReturnType<typeof createClient>

/** Every call throws TiebarProblem when the API refuses it, and the error of `fetch` when there is no answer. */
export function createClient(options: ClientOptions) {
  const baseUrl = options.baseUrl.replace(/\/+$/, '')
  const transport = openTransport({ ...options, baseUrl })
  const call = openCall(baseUrl, transport.fetch)

  const ask = async <Name extends OperationName>(name: Name, input: Input<Name>): Promise<Answer<Name>['body']> =>
    (await call(name, input)).body

  async function signIn(signedIn: Promise<api.SignedIn>): Promise<api.User> {
    const { user, token } = await signedIn
    transport.setTokens(token)
    return user
  }

  const machines = openMachines(call, ask)
  return {
    /** Calls an operation of the OpenAPI document by its name, with the same tokens and retries. */
    ask,
    signUp: (details: api.SignUp) => signIn(ask('signUp', { body: details })),
    logIn: (credentials: api.LogIn) => signIn(ask('logIn', { body: credentials })),
    async logOut(): Promise<void> {
      await ask('logOut', {})
      transport.setTokens(undefined)
    },
    me: {
      read: () => ask('readMe', {}),
      change: (changes: api.AccountPatch) => ask('changeMe', { body: changes }),
      /** Ends all other sessions of the account. */
      changePassword: (passwords: api.PasswordChange) => ask('changePassword', { body: passwords }),
      sessions: async () => (await ask('listSessions', {})).items,
      endSession: (id: string) => ask('endSession', { path: { id } }),
    },
    machines,
    /** Machines with their reports, holds and open jobs. */
    board: (query?: Query<'listBoard'>): Listing<api.BoardMachine> =>
      walk((cursor) => ask('listBoard', { query: { ...query, ...cursor } })),
    /** Machines and jobs that change, each change at least once. Ends when the iteration or `signal` ends it. */
    changes: (following?: ChangesOptions): AsyncIterable<Change> => followChanges(baseUrl, transport.fetch, following),
    jobs: openJobs(ask),
    sites: openSites(ask),
    /** API keys of the account. A client that uses a key itself cannot create others. */
    keys: {
      list: (query?: Query<'listKeys'>): Listing<api.Key> =>
        walk((cursor) => ask('listKeys', { query: { ...query, ...cursor } })),
      /** Only this answer has the `secret`, which is the option `key` of `createClient`. */
      create: (key: api.NewKey) => ask('createKey', { body: key }),
      revoke: (id: string) => ask('revokeKey', { path: { id } }),
    },
    /** For staff only. */
    accounts: {
      list: (query?: Query<'listAccounts'>): Listing<api.User> =>
        walk((cursor) => ask('listAccounts', { query: { ...query, ...cursor } })),
      changeRights: (id: number, rights: api.RightsPatch) => ask('changeAccountRights', { path: { id }, body: rights }),
    },
  }
}

function openMachines(call: Call, ask: Ask) {
  const withEtag = async (asked: Promise<{ body: api.Machine; headers: Headers }>): Promise<VersionedMachine> => {
    const { body, headers } = await asked
    return { ...body, etag: headers.get('ETag') ?? '' }
  }
  const ifMatchHeader = ({ ifMatch }: IfMatch = {}) => ({ headers: { 'If-Match': ifMatch } })
  const idempotencyHeader = ({ idempotencyKey = crypto.randomUUID() }: IdempotencyOptions = {}) => ({
    headers: { 'Idempotency-Key': idempotencyKey },
  })

  function operate(id: number, command: api.Operation['command'], options: OperateOptions = {}): StartedJob {
    const { expiresIn } = options
    const body = { command, ...(expiresIn !== undefined && { expires_in: expiresIn }) }
    const accepted = ask('operateMachine', { path: { id }, body, ...idempotencyHeader(options) })
    return follow(accepted, readJobBy(ask))
  }

  return {
    list: (query?: Query<'listMachines'>): Listing<api.Machine> =>
      walk((cursor) => ask('listMachines', { query: { ...query, ...cursor } })),
    create: (machine: api.NewMachine, options?: IdempotencyOptions) =>
      withEtag(call('createMachine', { body: machine, ...idempotencyHeader(options) })),
    read: (id: number) => withEtag(call('readMachine', { path: { id } })),
    replace: (id: number, machine: api.WholeMachine, options?: IfMatch) =>
      withEtag(call('replaceMachine', { path: { id }, body: machine, ...ifMatchHeader(options) })),
    change: (id: number, changes: api.MachinePatch, options?: IfMatch) =>
      withEtag(call('changeMachine', { path: { id }, body: changes, ...ifMatchHeader(options) })),
    delete: (id: number, options?: IfMatch) => ask('deleteMachine', { path: { id }, ...ifMatchHeader(options) }),
    members: (id: number): Listing<api.Member> =>
      walk((cursor) => ask('listMachineMembers', { path: { id }, query: cursor })),
    /** Gives an account a role, or replaces the one that it has. */
    putMember: (id: number, member: api.NewMember) => ask('putMachineMember', { path: { id }, body: member }),
    removeMember: (id: number, accountId: number) =>
      ask('removeMachineMember', { path: { id, account_id: accountId } }),
    start: (id: number, options?: OperateOptions) => operate(id, 'START', options),
    stop: (id: number, options?: OperateOptions) => operate(id, 'STOP', options),
    /**
     * Reports what the machine does. Needs a key with the scope `report`. The answer may have a command.
     * @param options `waitSeconds`, 1 to 25: holds the answer until there is a command
     */
    report: (id: number, report: api.MachineReport, { waitSeconds }: ReportOptions = {}) =>
      ask('reportMachine', {
        path: { id },
        body: report,
        query: waitSeconds === undefined ? {} : { wait: waitSeconds },
      }),
    /** Whether a command would be accepted now, and everything that prevents it. */
    preflight: (id: number, command: api.Operation['command'] = 'START') =>
      ask('readPreflight', { path: { id }, query: { command } }),
    holds: {
      list: (id: number): Listing<api.Hold> => walk((cursor) => ask('listHolds', { path: { id }, query: cursor })),
      /** Says that the account is at the machine: nobody starts it until the hold is removed. */
      place: (id: number, reason: string) => ask('placeHold', { path: { id }, body: { reason } }),
      /** Only the account that placed the hold can remove it. */
      remove: (id: number, hold: number) => ask('removeHold', { path: { id, hold } }),
      /** For managers who have made sure that nobody is at the machine, and have tried to reach the person. */
      override: (id: number, hold: number, reason: string) =>
        ask('overrideHold', {
          path: { id, hold },
          body: { reason, absence_verified: true, contact_tried: true },
        }),
    },
    /** Asks the controller now whether it controls the machine. */
    checkController: (id: number) => ask('checkController', { path: { id } }),
    history: (id: number, query?: Query<'listMachineJobs'>): Listing<api.Job> =>
      walk((cursor) => ask('listMachineJobs', { path: { id }, query: { ...query, ...cursor } })),
    /** The statuses that the machine had, newest first. With `from`, the last one is that at this time. */
    statuses: (id: number, query?: Query<'listMachineStatuses'>): Listing<api.StatusChange> =>
      walk((cursor) => ask('listMachineStatuses', { path: { id }, query: { ...query, ...cursor } })),
  }
}

function openJobs(ask: Ask) {
  const read = readJobBy(ask)
  return {
    /** Jobs on the account's own machines, and jobs that the account requested on others. */
    list: (query?: Query<'listMyJobs'>): Listing<api.Job> =>
      walk((cursor) => ask('listMyJobs', { query: { ...query, ...cursor } })),
    read: (id: string) => read(id),
    /** The whole timeline, oldest event first. */
    events: async (id: string): Promise<api.JobEvent[]> => {
      const events: api.JobEvent[] = []
      const query = { limit: 500 }
      for await (const event of walk((cursor) =>
        ask('listJobEvents', { path: { id }, query: { ...query, ...cursor } }),
      )) {
        events.push(event)
      }
      return events
    },
    cancel: (id: string, reason?: string) =>
      ask('cancelJob', { path: { id }, body: reason === undefined ? {} : { reason } }),
    /** Watches a job by its id, as `watch` of a job that was just started does. */
    watch: (id: string, options?: WatchOptions) => watch(read(id, options?.signal), read, options),
  }
}

const readJobBy = (ask: Ask) => (id: string, signal?: AbortSignal) => ask('readJob', { path: { id }, signal })
