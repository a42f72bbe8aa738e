// Written by `npm run client:types` from the OpenAPI document, and not by hand.
/* biome-ignore-all lint: as the generator writes it */
/* biome-ignore-all format: as the generator writes it */

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
   * Create an account and sign in
   */
  signUp: {
    body: SignUp
    answer: SignedIn
  }
  /**
   * Sign in
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
    answer: User
  }
  /**
   * Change my e-mail address or name (JSON Merge Patch)
   */
  changeMe: {
    body: AccountPatch
    answer: User
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
   * Jobs on my machines and jobs that I requested, newest first
   */
  listMyJobs: {
    query: {
      limit?: number
      /**
       * `next_cursor` of the previous page
       */
      cursor?: string
      /**
       * - `START`: Starts the machine. It is sent only before its `not_after`, and only if the machine is READY.
       * - `STOP`: Stops the machine. It supersedes an open START and is retried until its `not_after`.
       */
      command?: 'START' | 'STOP'
      /**
       * - `QUEUED`: Open: accepted, and not yet sent to the controller.
       * - `SENT`: Open: an attempt to send it has begun, and the controller has not answered.
       * - `PENDING`: Open: the controller has accepted the command and will report the outcome.
       * - `SUCCEEDED`: Final: the controller executed the command.
       * - `FAILED`: Final: the controller refused, or the outcome is unknown. If it is unknown, a late report is still accepted.
       * - `REJECTED`: Final: not sent, because it was not allowed or the machine was changed.
       * - `EXPIRED`: Final: not executed, because the command could not be sent before `not_after`.
       * - `TIMED_OUT`: Final: the controller accepted the command and did not report in time. A late report is still accepted.
       * - `CANCELED`: Final: a person cancelled it before it was sent.
       * - `SUPERSEDED`: Final: a STOP superseded it.
       */
      state?:
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
       * - `INVALIDCOMMAND`: The command is not possible in the current state of the machine.
       * - `IGNORE`: The command expired, was cancelled or was superseded.
       */
      result?:
        'SUCCESS' | 'REMOTEFAILED' | 'INTERNALFAILED' | 'PENDING' | 'PERMISSIONDENIED' | 'INVALIDCOMMAND' | 'IGNORE'
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
      /**
       * - `START`: Starts the machine. It is sent only before its `not_after`, and only if the machine is READY.
       * - `STOP`: Stops the machine. It supersedes an open START and is retried until its `not_after`.
       */
      command?: 'START' | 'STOP'
      /**
       * - `QUEUED`: Open: accepted, and not yet sent to the controller.
       * - `SENT`: Open: an attempt to send it has begun, and the controller has not answered.
       * - `PENDING`: Open: the controller has accepted the command and will report the outcome.
       * - `SUCCEEDED`: Final: the controller executed the command.
       * - `FAILED`: Final: the controller refused, or the outcome is unknown. If it is unknown, a late report is still accepted.
       * - `REJECTED`: Final: not sent, because it was not allowed or the machine was changed.
       * - `EXPIRED`: Final: not executed, because the command could not be sent before `not_after`.
       * - `TIMED_OUT`: Final: the controller accepted the command and did not report in time. A late report is still accepted.
       * - `CANCELED`: Final: a person cancelled it before it was sent.
       * - `SUPERSEDED`: Final: a STOP superseded it.
       */
      state?:
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
       * - `INVALIDCOMMAND`: The command is not possible in the current state of the machine.
       * - `IGNORE`: The command expired, was cancelled or was superseded.
       */
      result?:
        'SUCCESS' | 'REMOTEFAILED' | 'INTERNALFAILED' | 'PENDING' | 'PERMISSIONDENIED' | 'INVALIDCOMMAND' | 'IGNORE'
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
    answer: JobEvents
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
      /**
       * - `POWEROFF`: The machine is switched off.
       * - `READY`: The machine is stopped and can be started.
       * - `RUNNING`: The machine is moulding.
       * - `PENDING`: The controller has accepted a command and is executing it.
       * - `ERROR`: A command failed or its outcome is unknown. Check the machine, then send a STOP or change `status`.
       */
      status?: 'POWEROFF' | 'READY' | 'RUNNING' | 'PENDING' | 'ERROR'
      /**
       * The id of an account, or `me`
       */
      owner_id?: string
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
   * Replace a machine; without `status`, the status is kept
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
}
export interface Alive {
  /**
   * - `ok`: The Worker answers.
   */
  status: 'ok'
}
export interface Readiness {
  /**
   * - `ok`: All upstreams answered.
   * - `away`: At least one did not answer.
   */
  status: 'ok' | 'away'
  upstreams: {
    postgres: {
      /**
       * - `ok`: It answered.
       * - `away`: It did not answer.
       */
      status: 'ok' | 'away'
      latency_ms: number
    }
    redis: {
      /**
       * - `ok`: It answered.
       * - `away`: It did not answer.
       */
      status: 'ok' | 'away'
      latency_ms: number
    }
    qstash: {
      /**
       * - `ok`: It answered.
       * - `away`: It did not answer.
       */
      status: 'ok' | 'away'
      latency_ms: number
    }
  }
}
export interface ProblemPages {
  items: ProblemPage[]
  minItems?: 0
}
export interface ProblemPage {
  /**
   * - `malformed_json`: The body of the request cannot be read as JSON. Nothing was changed.
   * - `malformed_request`: The request cannot be read. Nothing was changed.
   * - `token_missing`: The operation requires a token, and the request has none.
   * - `token_invalid`: The request has a token that is not valid for this operation.
   * - `session_ended`: The signature of the token is valid, but its session has ended.
   * - `bad_credentials`: The log-in failed.
   * - `refresh_reused`: The refresh token was already exchanged, so its session has been ended.
   * - `bad_signature`: The message does not come from the queue, so it was not processed.
   * - `not_owner`: The machine belongs to another account. Nothing was sent to it.
   * - `staff_only`: The operation is for staff only.
   * - `not_found`: Nothing exists at this path, or nothing that you are allowed to see.
   * - `method_not_allowed`: The path exists, but it does not support this method.
   * - `not_acceptable`: The Accept header excludes every format in which this path can answer. Nothing was changed.
   * - `username_taken`: Another account has this username.
   * - `email_taken`: Another account has this e-mail address.
   * - `last_staff`: The account is the last active one with staff rights, so it was not changed.
   * - `job_open`: A job of the machine has not ended yet, and it conflicts with the request.
   * - `wrong_state`: The command is not allowed in the current state of the machine. The refusal is recorded in its history.
   * - `no_controller`: The command cannot be sent. The refusal is recorded in the history of the machine.
   * - `not_cancelable`: The job was not canceled.
   * - `outcome_contradicts`: The job has ended with another result. The report was recorded in its timeline and changed nothing else.
   * - `precondition_failed`: If-Match does not contain the current ETag of the machine. Nothing was changed.
   * - `body_too_large`: The body of the request is larger than the server accepts.
   * - `unsupported_media_type`: The request does not declare its body as plain JSON in UTF-8, so the body was not processed.
   * - `validation_failed`: The input can be read, but it is not valid. Nothing was changed.
   * - `wrong_password`: The current password is wrong, so the new one was not set.
   * - `idempotency_key_reused`: The Idempotency-Key was used for another request in the last 24 hours. Nothing was changed.
   * - `rate_limited`: There were too many requests in a short time. Nothing was changed.
   * - `internal_error`: An unexpected error occurred. The details are in the log of the server, not in the answer.
   * - `misconfigured`: A part of the configuration of the server is absent or invalid. The server refuses every request until that is corrected.
   * - `database_unavailable`: The database did not answer in time. It is not known whether the request took effect.
   */
  code:
    | 'malformed_json'
    | 'malformed_request'
    | 'token_missing'
    | 'token_invalid'
    | 'session_ended'
    | 'bad_credentials'
    | 'refresh_reused'
    | 'bad_signature'
    | 'not_owner'
    | 'staff_only'
    | 'not_found'
    | 'method_not_allowed'
    | 'not_acceptable'
    | 'username_taken'
    | 'email_taken'
    | 'last_staff'
    | 'job_open'
    | 'wrong_state'
    | 'no_controller'
    | 'not_cancelable'
    | 'outcome_contradicts'
    | 'precondition_failed'
    | 'body_too_large'
    | 'unsupported_media_type'
    | 'validation_failed'
    | 'wrong_password'
    | 'idempotency_key_reused'
    | 'rate_limited'
    | 'internal_error'
    | 'misconfigured'
    | 'database_unavailable'
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
export interface AccountPatch {
  email?: string
  first_name?: string
  last_name?: string
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
  minItems?: 0
}
export interface AccountPage {
  items: User[]
  next_cursor: string | null
  minItems?: 0
}
export interface RightsPatch {
  is_active?: boolean
  is_staff?: boolean
}
export interface JobPage {
  items: Job[]
  next_cursor: string | null
  minItems?: 0
}
export interface Job {
  id: string
  machine_id: number
  machine_owner_id: number
  /**
   * - `START`: Starts the machine. It is sent only before its `not_after`, and only if the machine is READY.
   * - `STOP`: Stops the machine. It supersedes an open START and is retried until its `not_after`.
   */
  command: 'START' | 'STOP'
  /**
   * - `QUEUED`: Open: accepted, and not yet sent to the controller.
   * - `SENT`: Open: an attempt to send it has begun, and the controller has not answered.
   * - `PENDING`: Open: the controller has accepted the command and will report the outcome.
   * - `SUCCEEDED`: Final: the controller executed the command.
   * - `FAILED`: Final: the controller refused, or the outcome is unknown. If it is unknown, a late report is still accepted.
   * - `REJECTED`: Final: not sent, because it was not allowed or the machine was changed.
   * - `EXPIRED`: Final: not executed, because the command could not be sent before `not_after`.
   * - `TIMED_OUT`: Final: the controller accepted the command and did not report in time. A late report is still accepted.
   * - `CANCELED`: Final: a person cancelled it before it was sent.
   * - `SUPERSEDED`: Final: a STOP superseded it.
   */
  state:
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
   * - `INVALIDCOMMAND`: The command is not possible in the current state of the machine.
   * - `IGNORE`: The command expired, was cancelled or was superseded.
   */
  result:
    'SUCCESS' | 'REMOTEFAILED' | 'INTERNALFAILED' | 'PENDING' | 'PERMISSIONDENIED' | 'INVALIDCOMMAND' | 'IGNORE' | null
  /**
   * - `not_owner`: The requester is neither the owner of the machine nor staff.
   * - `wrong_state`: The status of the machine did not allow the command.
   * - `job_open`: Another job of the machine was open.
   * - `no_controller`: The machine had no controller.
   * - `changed`: The machine was changed or deleted after the request.
   * - `refused`: The controller refused.
   * - `bad_answer`: The controller gave an invalid answer.
   * - `outcome_unknown`: An attempt may have been executed, but the outcome is unknown.
   * - `unreachable`: No attempt reached the controller.
   * - `not_in_time`: The command could not be sent before `not_after`.
   * - `no_report`: The controller accepted the command and did not report the outcome.
   * - `by_person`: A person cancelled the job.
   * - `by_stop`: A STOP superseded the job.
   */
  reason:
    | 'not_owner'
    | 'wrong_state'
    | 'job_open'
    | 'no_controller'
    | 'changed'
    | 'refused'
    | 'bad_answer'
    | 'outcome_unknown'
    | 'unreachable'
    | 'not_in_time'
    | 'no_report'
    | 'by_person'
    | 'by_stop'
    | null
  /**
   * Free text from the controller or from the person who cancelled the job
   */
  detail: string | null
  attempts: number
  requested_by: number
  requested_at: string
  not_after: string
  sent_at: string | null
  finished_at: string | null
  version: number
}
export interface JobEvents {
  items: JobEvent[]
  minItems?: 0
}
export interface JobEvent {
  version: number
  /**
   * - `QUEUED`: Open: accepted, and not yet sent to the controller.
   * - `SENT`: Open: an attempt to send it has begun, and the controller has not answered.
   * - `PENDING`: Open: the controller has accepted the command and will report the outcome.
   * - `SUCCEEDED`: Final: the controller executed the command.
   * - `FAILED`: Final: the controller refused, or the outcome is unknown. If it is unknown, a late report is still accepted.
   * - `REJECTED`: Final: not sent, because it was not allowed or the machine was changed.
   * - `EXPIRED`: Final: not executed, because the command could not be sent before `not_after`.
   * - `TIMED_OUT`: Final: the controller accepted the command and did not report in time. A late report is still accepted.
   * - `CANCELED`: Final: a person cancelled it before it was sent.
   * - `SUPERSEDED`: Final: a STOP superseded it.
   */
  state:
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
  at: string
  attempt: number | null
  by: number | ('queue' | 'controller' | 'sweep')
  /**
   * - `not_owner`: The requester is neither the owner of the machine nor staff.
   * - `wrong_state`: The status of the machine did not allow the command.
   * - `job_open`: Another job of the machine was open.
   * - `no_controller`: The machine had no controller.
   * - `changed`: The machine was changed or deleted after the request.
   * - `refused`: The controller refused.
   * - `bad_answer`: The controller gave an invalid answer.
   * - `outcome_unknown`: An attempt may have been executed, but the outcome is unknown.
   * - `unreachable`: No attempt reached the controller.
   * - `not_in_time`: The command could not be sent before `not_after`.
   * - `no_report`: The controller accepted the command and did not report the outcome.
   * - `by_person`: A person cancelled the job.
   * - `by_stop`: A STOP superseded the job.
   * - `attempt_failed`: An attempt failed; another one may follow.
   * - `late_answer`: Only a note: the controller answered after the job had ended.
   * - `contradiction`: Only a note: the controller reported another outcome than before.
   */
  reason:
    | 'not_owner'
    | 'wrong_state'
    | 'job_open'
    | 'no_controller'
    | 'changed'
    | 'refused'
    | 'bad_answer'
    | 'outcome_unknown'
    | 'unreachable'
    | 'not_in_time'
    | 'no_report'
    | 'by_person'
    | 'by_stop'
    | 'attempt_failed'
    | 'late_answer'
    | 'contradiction'
    | null
  /**
   * Free text from the controller or from the person who cancelled the job
   */
  detail: string | null
}
export interface Operation {
  /**
   * - `START`: Starts the machine. It is sent only before its `not_after`, and only if the machine is READY.
   * - `STOP`: Stops the machine. It supersedes an open START and is retried until its `not_after`.
   */
  command: 'START' | 'STOP'
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
  minItems?: 0
}
export interface Machine {
  id: number
  name: string
  location: string
  /**
   * - `POWEROFF`: The machine is switched off.
   * - `READY`: The machine is stopped and can be started.
   * - `RUNNING`: The machine is moulding.
   * - `PENDING`: The controller has accepted a command and is executing it.
   * - `ERROR`: A command failed or its outcome is unknown. Check the machine, then send a STOP or change `status`.
   */
  status: 'POWEROFF' | 'READY' | 'RUNNING' | 'PENDING' | 'ERROR'
  owner_id: number
  /**
   * Null unless the caller is the owner or staff
   */
  controller_url: string | null
  created_at: string
  updated_at: string
}
export interface NewMachine {
  name: string
  location: string
  /**
   * - `POWEROFF`: The machine is switched off.
   * - `READY`: The machine is stopped and can be started.
   * - `RUNNING`: The machine is moulding.
   * - `PENDING`: The controller has accepted a command and is executing it.
   * - `ERROR`: A command failed or its outcome is unknown. Check the machine, then send a STOP or change `status`.
   */
  status?: 'POWEROFF' | 'READY' | 'RUNNING' | 'PENDING' | 'ERROR'
  controller_url?: string | null
}
export interface WholeMachine {
  name: string
  location: string
  /**
   * - `POWEROFF`: The machine is switched off.
   * - `READY`: The machine is stopped and can be started.
   * - `RUNNING`: The machine is moulding.
   * - `PENDING`: The controller has accepted a command and is executing it.
   * - `ERROR`: A command failed or its outcome is unknown. Check the machine, then send a STOP or change `status`.
   */
  status?: 'POWEROFF' | 'READY' | 'RUNNING' | 'PENDING' | 'ERROR'
  controller_url?: string | null
}
export interface MachinePatch {
  name?: string
  location?: string
  /**
   * - `POWEROFF`: The machine is switched off.
   * - `READY`: The machine is stopped and can be started.
   * - `RUNNING`: The machine is moulding.
   * - `PENDING`: The controller has accepted a command and is executing it.
   * - `ERROR`: A command failed or its outcome is unknown. Check the machine, then send a STOP or change `status`.
   */
  status?: 'POWEROFF' | 'READY' | 'RUNNING' | 'PENDING' | 'ERROR'
  controller_url?: string | null
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
  /**
   * - `malformed_json`: The body of the request cannot be read as JSON. Nothing was changed.
   * - `malformed_request`: The request cannot be read. Nothing was changed.
   * - `token_missing`: The operation requires a token, and the request has none.
   * - `token_invalid`: The request has a token that is not valid for this operation.
   * - `session_ended`: The signature of the token is valid, but its session has ended.
   * - `bad_credentials`: The log-in failed.
   * - `refresh_reused`: The refresh token was already exchanged, so its session has been ended.
   * - `bad_signature`: The message does not come from the queue, so it was not processed.
   * - `not_owner`: The machine belongs to another account. Nothing was sent to it.
   * - `staff_only`: The operation is for staff only.
   * - `not_found`: Nothing exists at this path, or nothing that you are allowed to see.
   * - `method_not_allowed`: The path exists, but it does not support this method.
   * - `not_acceptable`: The Accept header excludes every format in which this path can answer. Nothing was changed.
   * - `username_taken`: Another account has this username.
   * - `email_taken`: Another account has this e-mail address.
   * - `last_staff`: The account is the last active one with staff rights, so it was not changed.
   * - `job_open`: A job of the machine has not ended yet, and it conflicts with the request.
   * - `wrong_state`: The command is not allowed in the current state of the machine. The refusal is recorded in its history.
   * - `no_controller`: The command cannot be sent. The refusal is recorded in the history of the machine.
   * - `not_cancelable`: The job was not canceled.
   * - `outcome_contradicts`: The job has ended with another result. The report was recorded in its timeline and changed nothing else.
   * - `precondition_failed`: If-Match does not contain the current ETag of the machine. Nothing was changed.
   * - `body_too_large`: The body of the request is larger than the server accepts.
   * - `unsupported_media_type`: The request does not declare its body as plain JSON in UTF-8, so the body was not processed.
   * - `validation_failed`: The input can be read, but it is not valid. Nothing was changed.
   * - `wrong_password`: The current password is wrong, so the new one was not set.
   * - `idempotency_key_reused`: The Idempotency-Key was used for another request in the last 24 hours. Nothing was changed.
   * - `rate_limited`: There were too many requests in a short time. Nothing was changed.
   * - `internal_error`: An unexpected error occurred. The details are in the log of the server, not in the answer.
   * - `misconfigured`: A part of the configuration of the server is absent or invalid. The server refuses every request until that is corrected.
   * - `database_unavailable`: The database did not answer in time. It is not known whether the request took effect.
   */
  code:
    | 'malformed_json'
    | 'malformed_request'
    | 'token_missing'
    | 'token_invalid'
    | 'session_ended'
    | 'bad_credentials'
    | 'refresh_reused'
    | 'bad_signature'
    | 'not_owner'
    | 'staff_only'
    | 'not_found'
    | 'method_not_allowed'
    | 'not_acceptable'
    | 'username_taken'
    | 'email_taken'
    | 'last_staff'
    | 'job_open'
    | 'wrong_state'
    | 'no_controller'
    | 'not_cancelable'
    | 'outcome_contradicts'
    | 'precondition_failed'
    | 'body_too_large'
    | 'unsupported_media_type'
    | 'validation_failed'
    | 'wrong_password'
    | 'idempotency_key_reused'
    | 'rate_limited'
    | 'internal_error'
    | 'misconfigured'
    | 'database_unavailable'
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
  changePassword: 'POST /api/me/password',
  listSessions: 'GET /api/me/sessions',
  endSession: 'DELETE /api/me/sessions/{id}',
  listAccounts: 'GET /api/accounts',
  changeAccountRights: 'PATCH /api/accounts/{id}',
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
} as const
