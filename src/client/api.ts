// Written by `npm run client:types` from the OpenAPI document, and not by hand.
/* biome-ignore-all lint: as the generator writes it */
/* biome-ignore-all format: as the generator writes it */

/**
 * What each operation takes and answers.
 */
export interface Operations {
  /**
   * Is the Worker alive
   */
  readHealth: {
    answer: Alive
  }
  /**
   * Does every upstream answer
   */
  readReadiness: {
    answer: Readiness
  }
  /**
   * This document
   */
  readOpenApiDocument: {
    answer: {
      openapi: '3.1.0'
      [k: string]: unknown
    }
  }
  /**
   * Everything that can go wrong
   */
  listProblems: {
    answer: ProblemPages
  }
  /**
   * What a code means and what to do
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
   * The public keys that our tokens and commands are signed with
   */
  readPublicKeys: {
    answer: PublicKeys
  }
  /**
   * Who am I
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
   * Where am I signed in: this session, then those that were refreshed last, 100 in all
   */
  listSessions: {
    answer: Sessions
  }
  /**
   * End a session of mine: its tokens stop working now
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
       * `next_cursor` of the page before
       */
      cursor?: string
      /**
       * Part of the username, the e-mail address or a name
       */
      q?: string
      is_active?: boolean
      is_staff?: boolean
      /**
       * `-` in front: descending
       */
      sort?: 'id' | '-id' | 'date_joined' | '-date_joined'
    }
    answer: AccountPage
  }
  /**
   * Disable or enable an account, give or take staff rights (staff only)
   */
  changeAccountRights: {
    path: {
      id: number
    }
    body: RightsPatch
    answer: User
  }
  /**
   * Jobs on my machines and jobs that I asked for, newest first
   */
  listMyJobs: {
    query: {
      limit?: number
      /**
       * `next_cursor` of the page before
       */
      cursor?: string
      command?: 'START' | 'STOP'
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
   * Jobs of a machine, newest first; also of a deleted one
   */
  listMachineJobs: {
    path: {
      id: number
    }
    query: {
      limit?: number
      /**
       * `next_cursor` of the page before
       */
      cursor?: string
      command?: 'START' | 'STOP'
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
   * Take a job back that has not been sent
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
       * `next_cursor` of the page before
       */
      cursor?: string
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
       * `-` in front: descending
       */
      sort?: 'id' | '-id' | 'name' | '-name' | 'created_at' | '-created_at' | 'updated_at' | '-updated_at'
    }
    answer: MachinePage
  }
  /**
   * Register a machine of mine
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
   * Replace a machine; without `status` that stays
   */
  replaceMachine: {
    path: {
      id: number
    }
    body: WholeMachine
    answer: Machine
  }
  /**
   * Change some of a machine (JSON Merge Patch)
   */
  changeMachine: {
    path: {
      id: number
    }
    body: MachinePatch
    answer: Machine
  }
  /**
   * Delete a machine; its history stays
   */
  deleteMachine: {
    path: {
      id: number
    }
    answer: undefined
  }
}
export interface Alive {
  status: 'ok'
}
export interface Readiness {
  status: 'ok' | 'away'
  upstreams: {
    postgres: {
      status: 'ok' | 'away'
      latency_ms: number
    }
    redis: {
      status: 'ok' | 'away'
      latency_ms: number
    }
    qstash: {
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
   * Whether the very same request may succeed later
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
    kty: 'OKP'
    crv: 'Ed25519'
    kid: string
    x: string
    use: 'sig'
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
     * Where the log-in came from; of IPv6 the /64
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
  command: 'START' | 'STOP'
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
  result:
    'SUCCESS' | 'REMOTEFAILED' | 'INTERNALFAILED' | 'PENDING' | 'PERMISSIONDENIED' | 'INVALIDCOMMAND' | 'IGNORE' | null
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
   * The controller's or a person's own words
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
   * The controller's or a person's own words
   */
  detail: string | null
}
export interface Operation {
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
  status: 'POWEROFF' | 'READY' | 'RUNNING' | 'PENDING' | 'ERROR'
  owner_id: number
  /**
   * Null for whoever is not the owner or staff
   */
  controller_url: string | null
  created_at: string
  updated_at: string
}
export interface NewMachine {
  name: string
  location: string
  status?: 'POWEROFF' | 'READY' | 'RUNNING' | 'PENDING' | 'ERROR'
  controller_url?: string | null
}
export interface WholeMachine {
  name: string
  location: string
  status?: 'POWEROFF' | 'READY' | 'RUNNING' | 'PENDING' | 'ERROR'
  controller_url?: string | null
}
export interface MachinePatch {
  name?: string
  location?: string
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
