// Written by `npm run client:types` from the OpenAPI document, and not by hand.
/* biome-ignore-all lint: as the generator writes it */
/* biome-ignore-all format: as the generator writes it */

/**
 * - `ok`: All upstreams answered.
 * - `unavailable`: At least one did not answer.
 */
export type ReadinessStatus = 'ok' | 'unavailable'
/**
 * - `malformed_json`: The body of the request cannot be read as JSON. Nothing was changed.
 * - `malformed_request`: The request cannot be read. Nothing was changed.
 * - `method_not_allowed`: The path exists, but it does not support this method.
 * - `not_acceptable`: The Accept header excludes every format in which this path can answer. Nothing was changed.
 * - `body_too_large`: The body of the request is larger than the server accepts.
 * - `unsupported_media_type`: The request does not declare its body as plain JSON in UTF-8, so the body was not processed.
 * - `validation_failed`: The input can be read, but it is not valid. Nothing was changed.
 * - `wrong_password`: The current password is wrong. Nothing was changed.
 * - `reset_token_invalid`: The token cannot be used to set a password. Nothing was changed.
 * - `idempotency_key_reused`: The Idempotency-Key was used for another request in the last 24 hours. Nothing was changed.
 * - `token_missing`: The operation requires a token, and the request has none.
 * - `token_invalid`: The request has a token that is not valid for this operation.
 * - `session_ended`: The signature of the token is valid, but its session has ended.
 * - `hold_of_other`: The hold was not removed.
 * - `key_invalid`: The request has an API key that is not valid.
 * - `bad_credentials`: The log-in failed.
 * - `refresh_reused`: The refresh token was already exchanged, so its session has been ended.
 * - `bad_signature`: The message does not come from the queue, so it was not processed.
 * - `not_owner`: The machine belongs to another account, and you have no role on it. Nothing was sent to it.
 * - `role_too_low`: You have a role on the machine or the site, but this needs a higher one. Nothing was changed.
 * - `sign_up_closed`: The server does not accept sign-ups. No account was created.
 * - `staff_only`: The operation is for staff only.
 * - `scope_missing`: The API key is valid, but it has no scope that the operation needs. Nothing was changed.
 * - `key_required`: The operation is for machines and programs, which have an API key. Nothing was changed.
 * - `key_not_allowed`: The operation is not open to the API key. Nothing was changed.
 * - `not_found`: Nothing exists at this path, or nothing that you are allowed to see.
 * - `no_such_account`: No active account has this username. Nothing was changed.
 * - `no_such_site`: The site in the body does not exist, or you have no role on it. Nothing was changed.
 * - `username_taken`: Another account has this username.
 * - `email_taken`: Another account has this e-mail address.
 * - `last_staff`: The account is the last active one with staff rights, so it was not changed.
 * - `last_manager`: The account is the last manager of the site whose role does not expire. Nothing was changed.
 * - `role_is_fixed`: The account is staff or owns the machine, so it is a manager. Nothing was changed.
 * - `owns_machines`: The account was not deleted, because it owns machines.
 * - `site_not_empty`: The site has machines, so it was not deleted.
 * - `job_open`: A job of the machine has not ended yet, and it conflicts with the request.
 * - `wrong_state`: The command is not allowed in the current status of the machine. The refusal is recorded in its history.
 * - `no_controller`: The command cannot be sent. The refusal is recorded in the history of the machine.
 * - `stale`: The last report of the machine is too old, so it is not started. The refusal is recorded in its history.
 * - `remote_disabled`: The machine reports `remote_enabled: false`, so it is not started. The refusal is recorded in its history.
 * - `machine_reports`: The status was not set, because the last report of the machine is recent. Nothing was changed.
 * - `held`: Somebody has placed a hold on the machine, so it is not started. The refusal is recorded in its history.
 * - `start_in_flight`: No hold was placed: a START was sent to the machine, and may be executed. `job_id` names it.
 * - `has_holds`: The account was not deleted, because holds that it has placed are in force.
 * - `machine_running`: The machine is RUNNING or PENDING, so it keeps its controller. Nothing was changed.
 * - `controller_taken`: Another machine has this `controller_url`, and its controller has confirmed that. Nothing was changed.
 * - `controller_refused`: The controller at `controller_url` did not confirm that it controls this machine, so nothing is sent to it.
 * - `quota_exceeded`: The account has as many objects of this kind as it may have. Nothing was created.
 * - `not_cancelable`: The job was not cancelled.
 * - `outcome_contradicts`: The job has ended with another result. The report was recorded in its timeline and changed nothing else.
 * - `precondition_failed`: If-Match does not contain the current ETag of the machine. Nothing was changed.
 * - `controller_unreachable`: The controller at `controller_url` gave no answer. It is not confirmed.
 * - `rate_limited`: There were too many requests in a short time. Nothing was changed.
 * - `internal_error`: An unexpected error occurred. The details are in the log of the server, not in the answer.
 * - `misconfigured`: A part of the configuration of the server is absent or invalid, so every request is refused.
 * - `feed_unavailable`: Changes cannot be followed now. Everything else works.
 * - `database_unavailable`: The database did not answer, or could not change the rows. `detail` says whether the request may have taken effect.
 */
export type ProblemCode =
  | 'malformed_json'
  | 'malformed_request'
  | 'method_not_allowed'
  | 'not_acceptable'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'validation_failed'
  | 'wrong_password'
  | 'reset_token_invalid'
  | 'idempotency_key_reused'
  | 'token_missing'
  | 'token_invalid'
  | 'session_ended'
  | 'hold_of_other'
  | 'key_invalid'
  | 'bad_credentials'
  | 'refresh_reused'
  | 'bad_signature'
  | 'not_owner'
  | 'role_too_low'
  | 'sign_up_closed'
  | 'staff_only'
  | 'scope_missing'
  | 'key_required'
  | 'key_not_allowed'
  | 'not_found'
  | 'no_such_account'
  | 'no_such_site'
  | 'username_taken'
  | 'email_taken'
  | 'last_staff'
  | 'last_manager'
  | 'role_is_fixed'
  | 'owns_machines'
  | 'site_not_empty'
  | 'job_open'
  | 'wrong_state'
  | 'no_controller'
  | 'stale'
  | 'remote_disabled'
  | 'machine_reports'
  | 'held'
  | 'start_in_flight'
  | 'has_holds'
  | 'machine_running'
  | 'controller_taken'
  | 'controller_refused'
  | 'quota_exceeded'
  | 'not_cancelable'
  | 'outcome_contradicts'
  | 'precondition_failed'
  | 'controller_unreachable'
  | 'rate_limited'
  | 'internal_error'
  | 'misconfigured'
  | 'feed_unavailable'
  | 'database_unavailable'
/**
 * - `viewer`: Reads the machine, its history and its jobs.
 * - `operator`: Also sends START and STOP, and cancels jobs.
 * - `manager`: Also changes, moves and deletes the machine, and its members.
 */
export type MemberRole = 'viewer' | 'operator' | 'manager'
/**
 * - `read`: Read machines, their history, and jobs.
 * - `start`: START machines, and cancel jobs.
 * - `stop`: STOP machines, and cancel jobs.
 * - `manage`: Register, change and delete machines, and check their controllers.
 * - `report`: For the controller of a machine: report its status. The key must be limited to a machine or a site.
 */
export type KeyScope = 'read' | 'start' | 'stop' | 'manage' | 'report'
/**
 * - `START`: Starts the machine. It is sent only before its `not_after`, and only if the machine is READY and has no hold.
 * - `STOP`: Stops the machine, in every status. It supersedes every open job and is retried until its `not_after`.
 */
export type JobCommand = 'START' | 'STOP'
/**
 * - `QUEUED`: Open: accepted, and not yet sent to the controller.
 * - `SENT`: Open: an attempt to send it has begun, and the controller has not answered.
 * - `PENDING`: Open: the controller has accepted the command and will report the outcome.
 * - `SUCCEEDED`: Final: the controller executed the command.
 * - `FAILED`: Final: the controller refused, was not reached or gave an invalid answer, or the outcome is unknown. Unless it refused, a late report is still accepted.
 * - `REJECTED`: Final: not sent, because it was not allowed, the machine was changed, or its controller did not confirm it.
 * - `EXPIRED`: Final: not executed, because the command could not be sent before `not_after`.
 * - `TIMED_OUT`: Final: the controller accepted the command and did not report in time. A late report is still accepted.
 * - `CANCELED`: Final: a person cancelled it before it was sent.
 * - `SUPERSEDED`: Final: a STOP or a hold superseded it.
 */
export type JobState =
  | 'QUEUED'
  | 'SENT'
  | 'PENDING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'REJECTED'
  | 'EXPIRED'
  | 'TIMED_OUT'
  | 'CANCELED'
  | 'SUPERSEDED'
/**
 * - `SUCCESS`: The controller executed the command.
 * - `REMOTEFAILED`: The controller refused.
 * - `INTERNALFAILED`: The controller gave no valid answer or report.
 * - `PENDING`: The controller is executing the command.
 * - `PERMISSIONDENIED`: The requester may not operate the machine.
 * - `INVALIDCOMMAND`: The command was not possible for the machine when it was requested or sent.
 * - `IGNORE`: The command expired, was cancelled or was superseded.
 */
export type JobResult =
  'SUCCESS' | 'REMOTEFAILED' | 'INTERNALFAILED' | 'PENDING' | 'PERMISSIONDENIED' | 'INVALIDCOMMAND' | 'IGNORE'
/**
 * - `POWEROFF`: The machine is switched off.
 * - `READY`: The machine is stopped and can be started.
 * - `RUNNING`: The machine is moulding.
 * - `PENDING`: The controller has accepted a command and is executing it.
 * - `ERROR`: A command failed or its outcome is unknown. Check the machine, then send a STOP or change `status`.
 */
export type MachineStatus = 'POWEROFF' | 'READY' | 'RUNNING' | 'PENDING' | 'ERROR'
/**
 * - `person`: A person set the status.
 * - `command`: It follows from the answer to a command, or from a missing answer.
 * - `report`: The machine reported it.
 */
export type MachineStatusSource = 'person' | 'command' | 'report'
/**
 * - `push`: Commands are posted to `controller_url`.
 * - `pull`: The machine has no `controller_url` and a key for reports: it gets commands in the answers to its reports.
 */
export type MachineDelivery = 'push' | 'pull'
/**
 * Null: the machine has never reported
 */
export type Reported = {
  status: MachineStatus
  mode: ReportedMode | null
  /**
   * False: the machine accepts no remote START
   */
  remote_enabled: boolean | null
  /**
   * The total number of cycles of the machine
   */
  cycles: number | null
  last_cycle_ms: number | null
  alarm: {
    code: string
    text: string
  } | null
  /**
   * When the report arrived
   */
  at: string
  /**
   * Whether the report is at most 3 intervals old. Otherwise the current status is unknown
   */
  is_fresh: boolean
  /**
   * The interval between two reports
   */
  interval_seconds: number
} | null
/**
 * - `automatic`: The machine moulds without an operator.
 * - `semi_automatic`: An operator starts each cycle.
 * - `manual`: The machine is operated by hand.
 * - `setup`: The machine is being set up.
 * - `unknown`: The machine does not know its mode.
 */
export type ReportedMode = 'automatic' | 'semi_automatic' | 'manual' | 'setup' | 'unknown'
/**
 * - `account.add`: Staff created an account.
 * - `account.rights`: Staff rights were granted or revoked, or an account was disabled or enabled.
 * - `account.reset_issue`: Staff issued a token for a new password.
 * - `account.reset_use`: The token was used: the account has a new password.
 * - `account.password`: A program of the operator replaced the password.
 * - `account.delete`: The account was deleted by its owner and anonymised.
 * - `site.add`: A site was created.
 * - `site.rename`: A site was renamed. Names are not stored here.
 * - `site.delete`: A site was deleted.
 * - `member.add`: An account got a role on the site or the machine.
 * - `member.change`: The role of a member was changed, or the time at which it ends.
 * - `member.remove`: An account lost its role.
 * - `key.add`: An API key was created.
 * - `key.revoke`: An API key was revoked.
 * - `machine.add`: A machine was registered.
 * - `machine.status`: A person set the status by hand.
 * - `machine.controller`: The controller of the machine was changed or removed.
 * - `machine.site`: The machine was moved to another site.
 * - `machine.delete`: The machine was deleted.
 * - `hold.place`: Somebody placed a hold on the machine.
 * - `hold.remove`: The hold was removed by the account that placed it.
 * - `hold.override`: A manager overrode the hold.
 * - `operation.refuse`: Somebody without the role sent a command, which was refused. At most one event a minute for each command.
 * - `database.restore`: After a restore from a backup, a program of the operator ended all sessions, keys and open jobs.
 * - `database.import`: A program of the operator imported data of the old system.
 */
export type AuditEventAction =
  | 'account.add'
  | 'account.rights'
  | 'account.reset_issue'
  | 'account.reset_use'
  | 'account.password'
  | 'account.delete'
  | 'site.add'
  | 'site.rename'
  | 'site.delete'
  | 'member.add'
  | 'member.change'
  | 'member.remove'
  | 'key.add'
  | 'key.revoke'
  | 'machine.add'
  | 'machine.status'
  | 'machine.controller'
  | 'machine.site'
  | 'machine.delete'
  | 'hold.place'
  | 'hold.remove'
  | 'hold.override'
  | 'operation.refuse'
  | 'database.restore'
  | 'database.import'
/**
 * Execute it once for each `job_id`, and report its outcome
 */
export type FetchedCommand = {
  command: JobCommand
  /**
   * The order of the commands of the machine. The controller must refuse a command whose sequence is lower than the highest that it has received, and must give up a START in progress when a STOP arrives
   */
  sequence: number
  /**
   * The same for every attempt. Execute each job only once
   */
  job_id: string
  machine_id: number
  attempt: number
  /**
   * The controller must not execute the command after this time
   */
  not_after: string
  /**
   * Where to report the outcome after the answer PENDING
   */
  outcome_url: string
  /**
   * Bearer token for `outcome_url`, valid for 24 hours
   */
  outcome_token: string
  /**
   * For a gateway that passes the command on: a JWT (EdDSA) with the claims `machine`, `sequence`, `command` and `not_after`; `aud` is `machine:` and the id. A machine that fetches its own commands needs no proof but TLS
   */
  token: string
} | null

/**
 * What each operation takes and answers.
 */
export interface Operations {
  /**
   * Check that the Worker is running
   */
  readHealth: {
    answer: Alive
  }
  /**
   * Check that every upstream answers
   */
  readReadiness: {
    answer: Readiness
  }
  /**
   * Read the OpenAPI document
   */
  readOpenApiDocument: {
    answer: {
      /**
       * - `3.1.0`: The version of the OpenAPI Specification.
       */
      openapi: '3.1.0'
      [k: string]: unknown
    }
  }
  /**
   * List all error codes
   */
  listProblems: {
    answer: ProblemPages
  }
  /**
   * Explain an error code
   */
  readProblem: {
    path: {
      code: string
    }
    answer: ProblemPage
  }
  /**
   * Create an account and log in
   */
  signUp: {
    body: SignUp
    answer: SignedIn
  }
  /**
   * Log in
   */
  logIn: {
    body: LogIn
    answer: SignedIn
  }
  /**
   * End this session: its tokens stop working now
   */
  logOut: {
    answer: undefined
  }
  /**
   * Exchange a refresh token for new tokens
   */
  refreshToken: {
    body: Refresh
    answer: TokenAnswer
  }
  /**
   * The public keys that verify our tokens and commands
   */
  readPublicKeys: {
    answer: PublicKeys
  }
  /**
   * Read my account
   */
  readMe: {
    answer: Me
  }
  /**
   * Change my e-mail address or name (JSON Merge Patch)
   */
  changeMe: {
    body: AccountPatch
    answer: User
  }
  /**
   * Delete my account
   */
  deleteMe: {
    body: AccountDeletion
    answer: undefined
  }
  /**
   * Change my password; all my other sessions end
   */
  changePassword: {
    body: PasswordChange
    answer: undefined
  }
  /**
   * List my sessions: this one first, then the most recently refreshed, at most 100
   */
  listSessions: {
    answer: Sessions
  }
  /**
   * End one of my sessions: its tokens stop working now
   */
  endSession: {
    path: {
      id: string
    }
    answer: undefined
  }
  /**
   * List accounts (staff only)
   */
  listAccounts: {
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
      /**
       * Part of the username, the e-mail address or a name
       */
      q?: string
      is_active?: boolean
      is_staff?: boolean
      /**
       * - `id`: By id, ascending.
       * - `-id`: By id, descending.
       * - `date_joined`: By date_joined, ascending.
       * - `-date_joined`: By date_joined, descending.
       */
      sort?: 'id' | '-id' | 'date_joined' | '-date_joined'
    }
    answer: AccountPage
  }
  /**
   * Create an account without a password (staff only)
   */
  createAccount: {
    body: NewAccount
    answer: AccountWithResetToken
  }
  /**
   * Disable or enable an account, grant or revoke staff rights (staff only)
   */
  changeAccountRights: {
    path: {
      id: number
    }
    body: RightsPatch
    answer: User
  }
  /**
   * Issue a token for setting a new password (staff only)
   */
  issuePasswordReset: {
    path: {
      id: number
    }
    body: PasswordResetOrder
    answer: ResetToken
  }
  /**
   * Set a new password with a token from staff; all sessions of the account end
   */
  resetPassword: {
    body: PasswordReset
    answer: undefined
  }
  /**
   * List the sites on which I have a role
   */
  listSites: {
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
      /**
       * - `id`: By id, ascending.
       * - `-id`: By id, descending.
       * - `name`: By name, ascending.
       * - `-name`: By name, descending.
       */
      sort?: 'id' | '-id' | 'name' | '-name'
    }
    answer: SitePage
  }
  /**
   * Create a site, whose first manager I am
   */
  createSite: {
    body: NewSite
    answer: Site
  }
  /**
   * Read a site
   */
  readSite: {
    path: {
      id: number
    }
    answer: Site
  }
  /**
   * Rename a site (managers only)
   */
  changeSite: {
    path: {
      id: number
    }
    body: SitePatch
    answer: Site
  }
  /**
   * Delete a site without machines (managers only)
   */
  deleteSite: {
    path: {
      id: number
    }
    answer: undefined
  }
  /**
   * List the members of a site (managers only)
   */
  listSiteMembers: {
    path: {
      id: number
    }
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
    }
    answer: MemberPage
  }
  /**
   * Give an account a role on a site, or change its role
   */
  putSiteMember: {
    path: {
      id: number
    }
    body: NewMember
    answer: Member
  }
  /**
   * Remove the role of an account on a site; every member may leave
   */
  removeSiteMember: {
    path: {
      id: number
      account_id: number
    }
    answer: undefined
  }
  /**
   * List my API keys, newest first; also revoked and expired ones
   */
  listKeys: {
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
    }
    answer: KeyPage
  }
  /**
   * Create an API key for a program or a machine
   */
  createKey: {
    body: NewKey
    answer: KeyWithSecret
  }
  /**
   * Revoke one of my API keys: it stops working now
   */
  revokeKey: {
    path: {
      id: string
    }
    answer: undefined
  }
  /**
   * Jobs on my machines and jobs that I requested, newest first
   */
  listMyJobs: {
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
      command?: JobCommand
      state?: JobState
      result?: JobResult
      /**
       * The id of an account, or `me`
       */
      requested_by?: string
      /**
       * Requested at this time or later
       */
      from?: string
      /**
       * Requested before this time
       */
      to?: string
    }
    answer: JobPage
  }
  /**
   * Jobs of a machine, newest first; also of a deleted machine
   */
  listMachineJobs: {
    path: {
      id: number
    }
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
      command?: JobCommand
      state?: JobState
      result?: JobResult
      /**
       * The id of an account, or `me`
       */
      requested_by?: string
      /**
       * Requested at this time or later
       */
      from?: string
      /**
       * Requested before this time
       */
      to?: string
    }
    answer: JobPage
  }
  /**
   * The timeline of a job, oldest first
   */
  listJobEvents: {
    path: {
      id: string
    }
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
    }
    answer: JobEventPage
  }
  /**
   * START or STOP a machine
   */
  operateMachine: {
    path: {
      id: number
    }
    body: Operation
    answer: Job
  }
  /**
   * The status of a job, at most 5 s old
   */
  readJob: {
    path: {
      id: string
    }
    answer: Job
  }
  /**
   * Cancel a job that has not been sent
   */
  cancelJob: {
    path: {
      id: string
    }
    body: Cancel
    answer: Job
  }
  /**
   * List machines
   */
  listMachines: {
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
      status?: MachineStatus
      /**
       * The id of an account, or `me`
       */
      owner_id?: string
      /**
       * Machines in this site
       */
      site_id?: number
      /**
       * Part of the name or the location
       */
      q?: string
      /**
       * - `id`: By id, ascending.
       * - `-id`: By id, descending.
       * - `name`: By name, ascending.
       * - `-name`: By name, descending.
       * - `created_at`: By created_at, ascending.
       * - `-created_at`: By created_at, descending.
       * - `updated_at`: By updated_at, ascending.
       * - `-updated_at`: By updated_at, descending.
       */
      sort?: 'id' | '-id' | 'name' | '-name' | 'created_at' | '-created_at' | 'updated_at' | '-updated_at'
    }
    answer: MachinePage
  }
  /**
   * Register a machine that I own
   */
  createMachine: {
    body: NewMachine
    answer: Machine
  }
  /**
   * Read a machine
   */
  readMachine: {
    path: {
      id: number
    }
    answer: Machine
  }
  /**
   * Replace a machine; without `status` or `site_id`, these are kept
   */
  replaceMachine: {
    path: {
      id: number
    }
    body: WholeMachine
    answer: Machine
  }
  /**
   * Change some fields of a machine (JSON Merge Patch)
   */
  changeMachine: {
    path: {
      id: number
    }
    body: MachinePatch
    answer: Machine
  }
  /**
   * Delete a machine; its history is kept
   */
  deleteMachine: {
    path: {
      id: number
    }
    answer: undefined
  }
  /**
   * Statuses that a machine had, newest first; also of a deleted machine
   */
  listMachineStatuses: {
    path: {
      id: number
    }
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
      /**
       * Since this time. The last item is the status that the machine had at it, with its own time
       */
      from?: string
      /**
       * Before this time
       */
      to?: string
    }
    answer: StatusPage
  }
  /**
   * List the members of a machine (managers only)
   */
  listMachineMembers: {
    path: {
      id: number
    }
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
    }
    answer: MemberPage
  }
  /**
   * Give an account a role on a machine, or change its role
   */
  putMachineMember: {
    path: {
      id: number
    }
    body: NewMember
    answer: Member
  }
  /**
   * Remove the role of an account on a machine; every member may leave
   */
  removeMachineMember: {
    path: {
      id: number
      account_id: number
    }
    answer: undefined
  }
  /**
   * Who changed which right, member, key or machine, newest first
   */
  listAuditEvents: {
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
      /**
       * The id of an account, or `me`
       */
      actor?: string
      subject?: string
      action?: AuditEventAction
      /**
       * Changed at this time or later
       */
      from?: string
      /**
       * Changed before this time
       */
      to?: string
    }
    answer: AuditPage
  }
  /**
   * Ask the controller now whether it controls the machine
   */
  checkController: {
    path: {
      id: number
    }
    answer: ControllerConfirmation
  }
  /**
   * Export what is stored of me
   */
  exportMe: {
    answer: Export
  }
  /**
   * The holds on a machine that were not removed
   */
  listHolds: {
    path: {
      id: number
    }
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
    }
    answer: HoldPage
  }
  /**
   * Place a hold, because I am at the machine: it is not started until I remove the hold
   */
  placeHold: {
    path: {
      id: number
    }
    body: NewHold
    answer: Hold
  }
  /**
   * Remove my hold
   */
  removeHold: {
    path: {
      id: number
      hold: number
    }
    answer: undefined
  }
  /**
   * Override the hold of somebody else (managers only)
   */
  overrideHold: {
    path: {
      id: number
      hold: number
    }
    body: HoldOverride
    answer: Hold
  }
  /**
   * Whether a command would be accepted now, and everything that prevents it
   */
  readPreflight: {
    path: {
      id: number
    }
    query: {
      /**
       * - `START`: Starts the machine. It is sent only before its `not_after`, and only if the machine is READY and has no hold.
       * - `STOP`: Stops the machine, in every status. It supersedes every open job and is retried until its `not_after`.
       */
      command?: JobCommand & string
    }
    answer: Preflight
  }
  /**
   * A machine reports what it does, and fetches a command
   */
  reportMachine: {
    path: {
      id: number
    }
    query: {
      /**
       * Seconds for which the answer may be held until there is a command
       */
      wait?: number
    }
    body: MachineReport
    answer: ReportAnswer
  }
  /**
   * A gateway reports for machines of a site, and fetches their commands
   */
  reportMachinesOfSite: {
    path: {
      id: number
    }
    body: SiteReports
    answer: SiteReportsAnswer
  }
  /**
   * Machines with their reports, holds and open jobs
   */
  listBoard: {
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
      status?: MachineStatus
      /**
       * The id of an account, or `me`
       */
      owner_id?: string
      /**
       * Machines in this site
       */
      site_id?: number
      /**
       * Part of the name or the location
       */
      q?: string
      /**
       * - `id`: By id, ascending.
       * - `-id`: By id, descending.
       * - `name`: By name, ascending.
       * - `-name`: By name, descending.
       * - `created_at`: By created_at, ascending.
       * - `-created_at`: By created_at, descending.
       * - `updated_at`: By updated_at, ascending.
       * - `-updated_at`: By updated_at, descending.
       */
      sort?: 'id' | '-id' | 'name' | '-name' | 'created_at' | '-created_at' | 'updated_at' | '-updated_at'
    }
    answer: BoardPage
  }
}
export interface Alive {
  /**
   * - `ok`: The Worker answers.
   */
  status: 'ok'
}
export interface Readiness {
  status: ReadinessStatus
  upstreams: {
    postgres: Upstream
    redis: Upstream
    qstash: Upstream
  }
}
export interface Upstream {
  /**
   * - `ok`: It answered.
   * - `unavailable`: It did not answer.
   */
  status: 'ok' | 'unavailable'
  latency_ms: number
}
export interface ProblemPages {
  items: ProblemPage[]
}
export interface ProblemPage {
  code: ProblemCode
  type: string
  status: number
  title: string
  meaning: string
  why: string
  remedy: string
  /**
   * Whether the same request may succeed later
   */
  retry_helps: boolean
}
export interface SignUp {
  username: string
  password: string
  email: string
  first_name?: string
  last_name?: string
}
export interface SignedIn {
  user: User
  token: Token
}
export interface User {
  id: number
  username: string
  /**
   * An account from the old system has the text that was stored there: it is empty if there was none, and it need not be an address
   */
  email: string
  first_name: string
  last_name: string
  is_staff: boolean
  is_active: boolean
  date_joined: string
  last_login: string | null
}
export interface Token {
  access: string
  refresh: string
  /**
   * - `Bearer`: Send `access` as `Authorization: Bearer …` (RFC 6750).
   */
  token_type: 'Bearer'
  /**
   * Seconds until the access token expires
   */
  expires_in: number
}
export interface LogIn {
  username: string
  password: string
}
export interface Refresh {
  refresh: string
}
export interface TokenAnswer {
  token: Token
}
export interface PublicKeys {
  keys: {
    /**
     * - `OKP`: An octet key pair (RFC 8037).
     */
    kty: 'OKP'
    /**
     * - `Ed25519`: The curve of the key.
     */
    crv: 'Ed25519'
    kid: string
    x: string
    /**
     * - `sig`: The key verifies signatures.
     */
    use: 'sig'
    /**
     * - `EdDSA`: The signature algorithm of our tokens.
     */
    alg: 'EdDSA'
  }[]
}
export interface Me {
  id: number
  username: string
  /**
   * An account from the old system has the text that was stored there: it is empty if there was none, and it need not be an address
   */
  email: string
  first_name: string
  last_name: string
  is_staff: boolean
  is_active: boolean
  date_joined: string
  last_login: string | null
  /**
   * My holds that a manager has overridden, until I remove them
   */
  overridden_holds: Hold[]
}
export interface Hold {
  id: number
  machine_id: number
  reason: string
  /**
   * The account that placed it. Only this account can remove it
   */
  placed_by: number
  placed_at: string
  /**
   * Not null: a manager has overridden the hold, so it is no longer in force
   */
  override: {
    by: number
    at: string
    reason: string
  } | null
}
export interface AccountPatch {
  email?: string
  first_name?: string
  last_name?: string
  /**
   * Required if `email` is not the current address
   */
  current_password?: string
}
export interface AccountDeletion {
  current_password: string
}
export interface PasswordChange {
  current_password: string
  new_password: string
}
export interface Sessions {
  items: {
    id: string
    created_at: string
    refreshed_at: string
    expires_at: string
    user_agent: string | null
    /**
     * The client address at log-in; for IPv6 its /64 prefix
     */
    address: string | null
    current: boolean
  }[]
}
export interface AccountPage {
  items: User[]
  next_cursor: string | null
}
export interface NewAccount {
  username: string
  email: string
  first_name?: string
  last_name?: string
}
export interface AccountWithResetToken {
  user: User
  /**
   * It is shown only once
   */
  reset_token: string
}
export interface RightsPatch {
  is_active?: boolean
  is_staff?: boolean
  /**
   * The caller's own password; required to grant staff rights and to enable an account that has them
   */
  current_password?: string
}
export interface PasswordResetOrder {
  /**
   * Your own password. Required if the account has staff rights
   */
  current_password?: string
}
export interface ResetToken {
  /**
   * It is shown only once
   */
  reset_token: string
}
export interface PasswordReset {
  reset_token: string
  new_password: string
}
export interface SitePage {
  items: Site[]
  next_cursor: string | null
}
export interface Site {
  id: number
  name: string
  my_role: MemberRole
  created_at: string
  updated_at: string
}
export interface NewSite {
  name: string
}
export interface SitePatch {
  name?: string
}
export interface MemberPage {
  items: Member[]
  next_cursor: string | null
}
export interface Member {
  account_id: number
  username: string
  role: MemberRole
  /**
   * When the role ends. Null: it does not end
   */
  expires_at: string | null
}
export interface NewMember {
  username: string
  role: MemberRole
  expires_at?: string | null
}
export interface KeyPage {
  items: Key[]
  next_cursor: string | null
}
export interface Key {
  id: string
  name: string
  scopes: KeyScope[]
  /**
   * The only machine that the key can see and operate
   */
  machine_id: number | null
  /**
   * The only site whose machines the key can see and operate
   */
  site_id: number | null
  created_at: string
  expires_at: string | null
  revoked_at: string | null
}
export interface NewKey {
  name: string
  /**
   * @minItems 1
   * @maxItems 5
   */
  scopes: KeyScope[]
  /**
   * The only machine that the key can see and operate
   */
  machine_id?: number | null
  /**
   * The only site whose machines the key can see and operate
   */
  site_id?: number | null
  expires_at?: string | null
}
export interface KeyWithSecret {
  key: Key
  /**
   * Send it as `Authorization: Bearer tbk_…`, never in a URL. It cannot be shown again.
   */
  secret: string
}
export interface JobPage {
  items: Job[]
  next_cursor: string | null
}
export interface Job {
  id: string
  machine_id: number
  machine_owner_id: number
  command: JobCommand
  /**
   * The order of the accepted jobs of a machine, from 1. 0: the request was refused
   */
  sequence: number
  state: JobState
  result: JobResult | null
  /**
   * - `wrong_state`: The status of the machine did not allow the command.
   * - `job_open`: Another job of the machine was open.
   * - `no_controller`: The machine had no controller.
   * - `held`: Somebody was at the machine and had placed a hold on it.
   * - `stale`: The machine had stopped reporting.
   * - `remote_disabled`: The machine had reported that it accepts no remote commands.
   * - `not_owner`: Only in old jobs: the requester was neither the owner of the machine nor staff.
   * - `not_allowed`: The requester had lost the right to operate the machine before the command was sent.
   * - `changed`: The machine was changed or deleted after the request.
   * - `controller_refused`: The controller did not confirm that it controls this machine, so the command was not sent.
   * - `refused`: The controller refused.
   * - `bad_answer`: The controller gave an invalid answer.
   * - `outcome_unknown`: An attempt may have been executed, but the outcome is unknown.
   * - `unreachable`: No attempt reached the controller.
   * - `not_in_time`: The command could not be sent before `not_after`.
   * - `no_report`: The controller accepted the command and did not report the outcome.
   * - `by_person`: A person cancelled the job.
   * - `by_stop`: A STOP superseded the job.
   * - `by_hold`: Somebody placed a hold on the machine.
   */
  reason:
    | 'wrong_state'
    | 'job_open'
    | 'no_controller'
    | 'held'
    | 'stale'
    | 'remote_disabled'
    | 'not_owner'
    | 'not_allowed'
    | 'changed'
    | 'controller_refused'
    | 'refused'
    | 'bad_answer'
    | 'outcome_unknown'
    | 'unreachable'
    | 'not_in_time'
    | 'no_report'
    | 'by_person'
    | 'by_stop'
    | 'by_hold'
    | null
  /**
   * Free text: from the controller, from the person who cancelled the job, or why the command was not sent
   */
  detail: string | null
  attempts: number
  requested_by: number
  /**
   * The API key with which the job was requested
   */
  key_id: string | null
  requested_at: string
  not_after: string
  sent_at: string | null
  finished_at: string | null
  /**
   * When a report of the machine, received after the command was sent, first showed its effect. Null: no report has
   */
  confirmed_at: string | null
  version: number
}
export interface JobEventPage {
  items: JobEvent[]
  next_cursor: string | null
}
export interface JobEvent {
  version: number
  state: JobState
  at: string
  attempt: number | null
  by: number | ('queue' | 'controller' | 'machine' | 'sweep')
  /**
   * The API key with which the account in `by` acted
   */
  key_id: string | null
  /**
   * - `wrong_state`: The status of the machine did not allow the command.
   * - `job_open`: Another job of the machine was open.
   * - `no_controller`: The machine had no controller.
   * - `held`: Somebody was at the machine and had placed a hold on it.
   * - `stale`: The machine had stopped reporting.
   * - `remote_disabled`: The machine had reported that it accepts no remote commands.
   * - `not_owner`: Only in old jobs: the requester was neither the owner of the machine nor staff.
   * - `not_allowed`: The requester had lost the right to operate the machine before the command was sent.
   * - `changed`: The machine was changed or deleted after the request.
   * - `controller_refused`: The controller did not confirm that it controls this machine, so the command was not sent.
   * - `refused`: The controller refused.
   * - `bad_answer`: The controller gave an invalid answer.
   * - `outcome_unknown`: An attempt may have been executed, but the outcome is unknown.
   * - `unreachable`: No attempt reached the controller.
   * - `not_in_time`: The command could not be sent before `not_after`.
   * - `no_report`: The controller accepted the command and did not report the outcome.
   * - `by_person`: A person cancelled the job.
   * - `by_stop`: A STOP superseded the job.
   * - `by_hold`: Somebody placed a hold on the machine.
   * - `attempt_failed`: An attempt failed; another one may follow.
   * - `late_answer`: The controller answered after the job had ended. The job takes this outcome if its own was unknown; otherwise it is only a note.
   * - `contradiction`: Only a note: the controller reported an outcome that contradicts the result of the job.
   * - `confirmed`: A report of the machine shows that it has executed the command.
   * - `unconfirmed`: Only a note: the command succeeded, but the reports of the machine do not show it.
   */
  reason:
    | 'wrong_state'
    | 'job_open'
    | 'no_controller'
    | 'held'
    | 'stale'
    | 'remote_disabled'
    | 'not_owner'
    | 'not_allowed'
    | 'changed'
    | 'controller_refused'
    | 'refused'
    | 'bad_answer'
    | 'outcome_unknown'
    | 'unreachable'
    | 'not_in_time'
    | 'no_report'
    | 'by_person'
    | 'by_stop'
    | 'by_hold'
    | 'attempt_failed'
    | 'late_answer'
    | 'contradiction'
    | 'confirmed'
    | 'unconfirmed'
    | null
  /**
   * Free text: from the controller, from the person who cancelled the job, or why the command was not sent
   */
  detail: string | null
}
export interface Operation {
  command: JobCommand
  /**
   * Seconds after which the command is no longer sent; 60 for START, 600 for STOP
   */
  expires_in?: number
}
export interface Cancel {
  reason?: string
}
export interface MachinePage {
  items: Machine[]
  next_cursor: string | null
}
export interface Machine {
  id: number
  name: string
  location: string
  status: MachineStatus
  status_source: MachineStatusSource
  /**
   * Since when the machine has this status
   */
  status_at: string
  owner_id: number
  /**
   * Null if the machine is in no site. Then every account can see the machine.
   */
  site_id: number | null
  my_role: MemberRole | null
  /**
   * Null unless the caller is a manager
   */
  controller_url: string | null
  /**
   * When the controller confirmed that it controls this machine. Until then nothing is sent but CONFIRM. Null unless the caller is a manager
   */
  controller_confirmed_at: string | null
  delivery: MachineDelivery
  reported: Reported
  created_at: string
  updated_at: string
}
export interface NewMachine {
  name: string
  location: string
  status?: MachineStatus & string
  site_id?: number | null
  controller_url?: string | null
}
export interface WholeMachine {
  name: string
  location: string
  status?: MachineStatus
  site_id?: number | null
  controller_url?: string | null
}
export interface MachinePatch {
  name?: string
  location?: string
  status?: MachineStatus
  site_id?: number | null
  controller_url?: string | null
}
export interface StatusPage {
  items: StatusChange[]
  next_cursor: string | null
}
export interface StatusChange {
  status: MachineStatus | null
  source: MachineStatusSource
  /**
   * Since when
   */
  at: string
}
export interface AuditPage {
  items: AuditEvent[]
  next_cursor: string | null
}
export interface AuditEvent {
  id: number
  at: string
  /**
   * The account that made the change. Null: a program that was run with access to the database
   */
  actor: number | null
  /**
   * The API key with which the actor made the change
   */
  key_id: string | null
  action: AuditEventAction
  /**
   * What was changed, such as `machine:42`: one of account, site, machine, key, database, and an id after a colon (`database` has none)
   */
  subject: string
  /**
   * The values that changed, by name. Null: there were none, or they are not stored
   */
  before: {
    [k: string]: unknown
  } | null
  /**
   * The values that changed, by name. Null: there were none, or they are not stored
   */
  after: {
    [k: string]: unknown
  } | null
}
export interface ControllerConfirmation {
  confirmed_at: string
}
export interface Export {
  account: User
  sessions: {
    id: string
    created_at: string
    refreshed_at: string
    expires_at: string
    user_agent: string | null
    /**
     * The client address at log-in; for IPv6 its /64 prefix
     */
    address: string | null
    ended_at: string | null
  }[]
  keys: Key[]
  roles: {
    site_id: number | null
    machine_id: number | null
    role: MemberRole
    expires_at: string | null
  }[]
  /**
   * Sites that I created
   */
  sites: {
    id: number
    name: string
    created_at: string
    updated_at: string
    deleted_at: string | null
  }[]
  /**
   * Machines that I own
   */
  machines: {
    id: number
    name: string
    location: string
    status: MachineStatus
    status_source: MachineStatusSource
    /**
     * Since when the machine has this status
     */
    status_at: string
    owner_id: number
    /**
     * Null if the machine is in no site. Then every account can see the machine.
     */
    site_id: number | null
    /**
     * Null unless the caller is a manager
     */
    controller_url: string | null
    /**
     * When the controller confirmed that it controls this machine. Until then nothing is sent but CONFIRM. Null unless the caller is a manager
     */
    controller_confirmed_at: string | null
    created_at: string
    updated_at: string
    deleted_at: string | null
  }[]
  /**
   * Holds that I placed or overrode
   */
  holds: {
    id: number
    machine_id: number
    reason: string
    /**
     * The account that placed it. Only this account can remove it
     */
    placed_by: number
    placed_at: string
    /**
     * Not null: a manager has overridden the hold, so it is no longer in force
     */
    override: {
      by: number
      at: string
      reason: string
    } | null
    removed_at: string | null
  }[]
  /**
   * Jobs that I requested, newest first, at most 1000. All: GET /api/machines/history?requested_by=me
   */
  jobs: Job[]
  /**
   * Audit events of what I did, and of what others did to my account, newest first, at most 1000. Staff can read all: GET /api/audit
   */
  changes: AuditEvent[]
}
export interface HoldPage {
  items: Hold[]
  next_cursor: string | null
}
export interface NewHold {
  reason: string
}
export interface HoldOverride {
  reason: string
  absence_verified: true
  contact_tried: true
}
export interface Preflight {
  may: boolean
  reasons: {
    /**
     * - `role_too_low`: The role of the caller does not allow it.
     * - `scope_missing`: The API key lacks the scope of the command.
     * - `held`: Somebody was at the machine and had placed a hold on it.
     * - `job_open`: Another job of the machine was open.
     * - `wrong_state`: The status of the machine did not allow the command.
     * - `no_controller`: The machine had no controller.
     * - `stale`: The machine had stopped reporting.
     * - `remote_disabled`: The machine had reported that it accepts no remote commands.
     */
    code:
      | 'role_too_low'
      | 'scope_missing'
      | 'held'
      | 'job_open'
      | 'wrong_state'
      | 'no_controller'
      | 'stale'
      | 'remote_disabled'
    detail: string
    /**
     * The account that causes the obstacle
     */
    by?: number
    since?: string
  }[]
}
export interface MachineReport {
  /**
   * Identifies one run of the program that reports: any text that is new at each start
   */
  boot_id: string
  /**
   * Counts the reports since the start. A report whose number is not higher than the last one is ignored
   */
  seq: number
  status: MachineStatus
  mode?: ReportedMode
  /**
   * False: the machine accepts no remote START, and Tiebar sends none
   */
  remote_enabled?: boolean
  /**
   * The total number of cycles of the machine
   */
  cycles?: number
  last_cycle_ms?: number
  /**
   * Null or absent: there is no alarm
   */
  alarm?: {
    /**
     * At most 64 characters of it are kept
     */
    code?: string
    /**
     * At most 1000 characters of it are kept
     */
    text?: string
  } | null
  /**
   * The interval between two reports; 10 by default
   */
  interval_seconds?: number
  /**
   * The outcome of a command that the machine fetched. Repeat it until a report with it is answered
   */
  outcome?: {
    job_id: string
    /**
     * - `SUCCESS`: The machine executed the command.
     * - `REMOTEFAILED`: The machine did not execute the command.
     * - `PENDING`: The machine is still executing the command.
     */
    result: 'SUCCESS' | 'REMOTEFAILED' | 'PENDING'
    /**
     * Free text. At most 1000 characters of it are kept, without NUL; a value of another type is shown as JSON. The result is read even if this text is invalid
     */
    detail?: {
      [k: string]: unknown
    }
  }
}
export interface ReportAnswer {
  /**
   * When to report again, after the answer: sooner than the interval while a job is open or if the answer was held
   */
  report_again_in_seconds: number
  /**
   * The holds in force: somebody is at the machine
   */
  holds: Hold[]
  command: FetchedCommand
  problem?: Problem & {
    [k: string]: unknown
  }
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Problem".
 */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: ProblemCode
  request_id: string
  errors?: (
    | {
        pointer: string
        detail: string
      }
    | {
        parameter: string
        detail: string
      }
  )[]
  job_id?: string
}
export interface SiteReports {
  /**
   * @minItems 1
   * @maxItems 100
   */
  reports: SiteReport[]
}
export interface SiteReport {
  machine_id: number
  /**
   * Identifies one run of the program that reports: any text that is new at each start
   */
  boot_id: string
  /**
   * Counts the reports since the start. A report whose number is not higher than the last one is ignored
   */
  seq: number
  status: MachineStatus
  mode?: ReportedMode
  /**
   * False: the machine accepts no remote START, and Tiebar sends none
   */
  remote_enabled?: boolean
  /**
   * The total number of cycles of the machine
   */
  cycles?: number
  last_cycle_ms?: number
  /**
   * Null or absent: there is no alarm
   */
  alarm?: {
    /**
     * At most 64 characters of it are kept
     */
    code?: string
    /**
     * At most 1000 characters of it are kept
     */
    text?: string
  } | null
  /**
   * The interval between two reports; 10 by default
   */
  interval_seconds?: number
  /**
   * The outcome of a command that the machine fetched. Repeat it until a report with it is answered
   */
  outcome?: {
    job_id: string
    /**
     * - `SUCCESS`: The machine executed the command.
     * - `REMOTEFAILED`: The machine did not execute the command.
     * - `PENDING`: The machine is still executing the command.
     */
    result: 'SUCCESS' | 'REMOTEFAILED' | 'PENDING'
    /**
     * Free text. At most 1000 characters of it are kept, without NUL; a value of another type is shown as JSON. The result is read even if this text is invalid
     */
    detail?: {
      [k: string]: unknown
    }
  }
}
export interface SiteReportsAnswer {
  /**
   * When to report again, after the answer: sooner than the interval while a job is open or if the answer was held
   */
  report_again_in_seconds: number
  /**
   * In the order of the reports
   */
  results: {
    machine_id: number | null
    /**
     * The holds in force: somebody is at the machine
     */
    holds: Hold[]
    command: FetchedCommand
    problem?: Problem & {
      [k: string]: unknown
    }
  }[]
}
export interface BoardPage {
  items: BoardMachine[]
  next_cursor: string | null
}
export interface BoardMachine {
  id: number
  name: string
  location: string
  status: MachineStatus
  status_source: MachineStatusSource
  /**
   * Since when the machine has this status
   */
  status_at: string
  owner_id: number
  /**
   * Null if the machine is in no site. Then every account can see the machine.
   */
  site_id: number | null
  my_role: MemberRole | null
  /**
   * Null unless the caller is a manager
   */
  controller_url: string | null
  /**
   * When the controller confirmed that it controls this machine. Until then nothing is sent but CONFIRM. Null unless the caller is a manager
   */
  controller_confirmed_at: string | null
  delivery: MachineDelivery
  reported: Reported
  created_at: string
  updated_at: string
  /**
   * Higher after every change of the machine that the API shows, but for times and counters of reports
   */
  revision: number
  /**
   * The holds in force. Null if the caller has no role on the machine
   */
  holds: Hold[] | null
  /**
   * The job that has not ended. Null without one, or if the caller has no role on the machine
   */
  open_job: Job | null
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "MachineChanged".
 */
export interface MachineChanged {
  id: number
  /**
   * The revision in the board. The ETag of the machine has it, too
   */
  revision: number
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "JobChanged".
 */
export interface JobChanged {
  id: string
  machine_id: number
  version: number
}

/** Method and path of each operation. */
export const routes = {
  readHealth: 'GET /api/health',
  readReadiness: 'GET /api/health/ready',
  readOpenApiDocument: 'GET /api/openapi.json',
  listProblems: 'GET /api/problems',
  readProblem: 'GET /api/problems/{code}',
  signUp: 'POST /api/sign-up',
  logIn: 'POST /api/log-in',
  logOut: 'POST /api/log-out',
  refreshToken: 'POST /api/token/refresh',
  readPublicKeys: 'GET /.well-known/jwks.json',
  readMe: 'GET /api/me',
  changeMe: 'PATCH /api/me',
  deleteMe: 'DELETE /api/me',
  changePassword: 'POST /api/me/password',
  listSessions: 'GET /api/me/sessions',
  endSession: 'DELETE /api/me/sessions/{id}',
  listAccounts: 'GET /api/accounts',
  createAccount: 'POST /api/accounts',
  changeAccountRights: 'PATCH /api/accounts/{id}',
  issuePasswordReset: 'POST /api/accounts/{id}/password-reset',
  resetPassword: 'POST /api/password-reset',
  listSites: 'GET /api/sites',
  createSite: 'POST /api/sites',
  readSite: 'GET /api/sites/{id}',
  changeSite: 'PATCH /api/sites/{id}',
  deleteSite: 'DELETE /api/sites/{id}',
  listSiteMembers: 'GET /api/sites/{id}/members',
  putSiteMember: 'POST /api/sites/{id}/members',
  removeSiteMember: 'DELETE /api/sites/{id}/members/{account_id}',
  listKeys: 'GET /api/keys',
  createKey: 'POST /api/keys',
  revokeKey: 'DELETE /api/keys/{id}',
  listMyJobs: 'GET /api/machines/history',
  listMachineJobs: 'GET /api/machines/{id}/history',
  listJobEvents: 'GET /api/jobs/{id}/events',
  operateMachine: 'POST /api/machines/{id}/operation',
  readJob: 'GET /api/jobs/{id}',
  cancelJob: 'POST /api/jobs/{id}/cancel',
  listMachines: 'GET /api/machines',
  createMachine: 'POST /api/machines',
  readMachine: 'GET /api/machines/{id}',
  replaceMachine: 'PUT /api/machines/{id}',
  changeMachine: 'PATCH /api/machines/{id}',
  deleteMachine: 'DELETE /api/machines/{id}',
  listMachineStatuses: 'GET /api/machines/{id}/statuses',
  listMachineMembers: 'GET /api/machines/{id}/members',
  putMachineMember: 'POST /api/machines/{id}/members',
  removeMachineMember: 'DELETE /api/machines/{id}/members/{account_id}',
  listAuditEvents: 'GET /api/audit',
  checkController: 'POST /api/machines/{id}/controller/check',
  exportMe: 'GET /api/me/export',
  listHolds: 'GET /api/machines/{id}/holds',
  placeHold: 'POST /api/machines/{id}/holds',
  removeHold: 'DELETE /api/machines/{id}/holds/{hold}',
  overrideHold: 'POST /api/machines/{id}/holds/{hold}/override',
  readPreflight: 'GET /api/machines/{id}/preflight',
  reportMachine: 'POST /api/machines/{id}/reports',
  reportMachinesOfSite: 'POST /api/sites/{id}/reports',
  listBoard: 'GET /api/board',
} as const
