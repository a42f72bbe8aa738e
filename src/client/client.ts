// The typed client of the API, for Node 20 and later, browsers and Workers. It refreshes its tokens, retries what is
// safe to retry, reads lists page by page and waits for jobs. Its types come from the API's OpenAPI document.
import type * as api from './api.ts'
import { type Answer, type Call, type Input, type OperationName, openCall } from './call.ts'
import { follow, type StartedJob, type WatchOptions, watch } from './job.ts'
import { type Listing, walk } from './pages.ts'
import { openTransport, type TransportOptions } from './transport.ts'

export type { Job, JobEvent, Machine, NewMachine, User } from './api.ts'
export { JobFailed, type StartedJob, type WatchOptions } from './job.ts'
export type { Listing, Page } from './pages.ts'
export { TiebarProblem } from './problem.ts'
export type { Tokens } from './transport.ts'

/** A machine and the ETag of what was read. With it as `ifMatch`, a change fails if the machine has changed since. */
export type VersionedMachine = api.Machine & { readonly etag: string }

export type ClientOptions = TransportOptions

export type IfMatch = { ifMatch?: string }

export type IdempotencyOptions = {
  /** Your own Idempotency-Key. Requests of several processes with the same key are carried out once. */
  idempotencyKey?: string
}

export type OperateOptions = IdempotencyOptions & {
  /** Seconds after which the command is no longer sent; 60 for START, 600 for STOP. */
  expiresIn?: number
}

/** The query of a list without the cursor, which the client sets. */
type Query<Name extends 'listMachines' | 'listMachineJobs' | 'listMyJobs' | 'listAccounts'> = Omit<
  api.Operations[Name]['query'],
  'cursor'
>

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
    jobs: openJobs(ask),
    /** For staff only. */
    accounts: {
      list: (query?: Query<'listAccounts'>): Listing<api.User> =>
        walk((cursor) => ask('listAccounts', { query: { ...query, ...cursor } })),
      changeRights: (id: number, rights: api.RightsPatch) => ask('changeAccountRights', { path: { id }, body: rights }),
    },
  }
}

type Ask = <Name extends OperationName>(name: Name, input: Input<Name>) => Promise<Answer<Name>['body']>

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
    start: (id: number, options?: OperateOptions) => operate(id, 'START', options),
    stop: (id: number, options?: OperateOptions) => operate(id, 'STOP', options),
    history: (id: number, query?: Query<'listMachineJobs'>): Listing<api.Job> =>
      walk((cursor) => ask('listMachineJobs', { path: { id }, query: { ...query, ...cursor } })),
  }
}

function openJobs(ask: Ask) {
  const read = readJobBy(ask)
  return {
    /** Jobs on the account's own machines, and jobs that the account requested on others. */
    list: (query?: Query<'listMyJobs'>): Listing<api.Job> =>
      walk((cursor) => ask('listMyJobs', { query: { ...query, ...cursor } })),
    read: (id: string) => read(id),
    events: async (id: string) => (await ask('listJobEvents', { path: { id } })).items,
    cancel: (id: string, reason?: string) =>
      ask('cancelJob', { path: { id }, body: reason === undefined ? {} : { reason } }),
    /** Watches a job by its id, as `watch` of a job that was just started does. */
    watch: (id: string, options?: WatchOptions) => watch(read(id, options?.signal), read, options),
  }
}

const readJobBy = (ask: Ask) => (id: string, signal?: AbortSignal) => ask('readJob', { path: { id }, signal })
