// Every error of the API: HTTP status, title, whether a retry can help, and the text of its page.

type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 406 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 503

/** Backticks enclose code. */
type ErrorText = {
  /** What has happened. */
  meaning: string
  /** The usual causes. */
  why: string
  /** What the client can do. */
  remedy: string
  /** Whether the same request may succeed later. By default, something has to change first. */
  isRetryable?: boolean
}

type ErrorKind = { status: ErrorStatus; title: string; isRetryable: boolean } & Omit<ErrorText, 'isRetryable'>

function kind(status: ErrorStatus, title: string, { isRetryable = false, ...text }: ErrorText): ErrorKind {
  return { status, title, isRetryable, ...text }
}

export const errorKinds = {
  malformed_json: kind(400, 'The body is not valid JSON', {
    meaning: 'The body of the request cannot be read as JSON. Nothing was changed.',
    why: 'The body is empty, incomplete, not UTF-8, or in another format, such as a form or JavaScript.',
    remedy: 'Send one JSON value in UTF-8, with double quotes and without trailing commas.',
  }),
  malformed_request: kind(400, 'The request is malformed', {
    meaning: 'The request cannot be read. Nothing was changed.',
    why: 'A part of the request violates the rules of HTTP or of the format that the request declares.',
    remedy: 'Read `detail`, and compare the request with the description of the operation.',
  }),
  token_missing: kind(401, 'A token is required', {
    meaning: 'The operation requires a token, and the request has none.',
    why: 'The Authorization header is absent.',
    remedy: 'Log in, and send the access token as `Authorization: Bearer TOKEN`.',
  }),
  token_invalid: kind(401, 'The token is not valid', {
    meaning: 'The request has a token that is not valid for this operation.',
    why: 'The token has expired, was altered, or is of another kind (a refresh token is not an access token), or the Authorization header is not written as `Bearer TOKEN`.',
    remedy: 'Get a new access token from `POST /api/token/refresh`, or log in again.',
  }),
  session_ended: kind(401, 'The session has ended', {
    meaning: 'The signature of the token is valid, but its session has ended.',
    why: 'The user logged out, changed the password, or ended the session; an old refresh token was used again; or the account was disabled.',
    remedy: 'Log in again. If you do not know why the session ended, change the password.',
  }),
  bad_credentials: kind(401, 'Wrong username or password', {
    meaning: 'The log-in failed.',
    why: 'The username or the password is wrong, or the account is disabled. The answer does not say which.',
    remedy: 'Check both. Failed log-ins are counted, and too many are answered with 429.',
  }),
  refresh_reused: kind(401, 'The refresh token was already used', {
    meaning: 'The refresh token was already exchanged, so its session has been ended.',
    why: 'A refresh token can be used once. A second use means that the token was copied, or that a client kept an old one (RFC 9700 §4.14.2).',
    remedy: 'Log in again, and keep the newest refresh token of each answer.',
  }),
  bad_signature: kind(401, 'The signature is not valid', {
    meaning: 'The message does not come from the queue, so it was not processed.',
    why: 'The Upstash-Signature header is absent or expired, or was made with other keys or for another URL or body.',
    remedy:
      'Only QStash can call this operation. If the request came from QStash, compare the signing keys and the public URL of the server with those in QStash.',
  }),
  not_owner: kind(403, 'The machine belongs to another account', {
    meaning: 'The machine belongs to another account. Nothing was sent to it.',
    why: 'Only the owner of a machine and staff may change it, operate it, or read its history.',
    remedy: 'Ask the owner or a staff member.',
  }),
  staff_only: kind(403, 'Only staff may do this', {
    meaning: 'The operation is for staff only.',
    why: 'The account has no staff rights, or has lost them.',
    remedy: 'Ask a staff member.',
  }),
  not_found: kind(404, 'Not found', {
    meaning: 'Nothing exists at this path, or nothing that you are allowed to see.',
    why: 'The path is misspelled, the object was deleted, or no object that you are allowed to see has this id.',
    remedy: 'Compare the path with the documentation. The lists of objects show their ids.',
  }),
  method_not_allowed: kind(405, 'The path does not support this method', {
    meaning: 'The path exists, but it does not support this method.',
    why: 'The method of the request is not in the Allow header of the answer.',
    remedy: 'Use one of the methods in the Allow header.',
  }),
  not_acceptable: kind(406, 'The Accept header excludes every format of this path', {
    meaning: 'The Accept header excludes every format in which this path can answer. Nothing was changed.',
    why: 'Most paths answer `application/json`, and problems as `application/problem+json`.',
    remedy: 'Send `Accept: application/json`, or no Accept header.',
  }),
  username_taken: kind(409, 'The username is taken', {
    meaning: 'Another account has this username.',
    why: 'Usernames are compared without regard to case: Kim and kim are the same.',
    remedy: 'Choose another username, or log in if the account is yours.',
  }),
  email_taken: kind(409, 'The e-mail address is taken', {
    meaning: 'Another account has this e-mail address.',
    why: 'An address belongs to one account. Addresses are compared without regard to case.',
    remedy: 'Use another address, or log in to the account that has it.',
  }),
  last_staff: kind(409, 'The last active staff account cannot be changed', {
    meaning: 'The account is the last active one with staff rights, so it was not changed.',
    why: 'Only staff can grant staff rights, so one active staff account must remain.',
    remedy: 'Give staff rights to another active account first.',
  }),
  job_open: kind(409, 'A job of the machine is still open', {
    meaning: 'A job of the machine has not ended yet, and it conflicts with the request.',
    why: 'A machine accepts one START at a time. Its status and its controller cannot change, and it cannot be deleted, until its jobs have ended.',
    remedy: 'Read the job in `job_id` until it ends, then try again. A STOP may be sent while a START is open.',
    isRetryable: true,
  }),
  wrong_state: kind(409, 'The machine is in the wrong state for this command', {
    meaning: 'The command is not allowed in the current state of the machine. The refusal is recorded in its history.',
    why: 'Each command is accepted only in certain statuses of the machine. `detail` names them and the present one.',
    remedy: 'Read the machine. To leave ERROR, send a STOP or set the status with PATCH.',
  }),
  no_controller: kind(409, 'The machine has no controller', {
    meaning: 'The command cannot be sent. The refusal is recorded in the history of the machine.',
    why: 'The machine has no `controller_url`.',
    remedy: 'Set the URL of the controller with PATCH.',
  }),
  not_cancelable: kind(409, 'The job can no longer be canceled', {
    meaning: 'The job was not canceled.',
    why: 'Only a QUEUED job can be canceled, because the controller may have executed a job that was sent. A STOP cannot be canceled either if it superseded a START that may have been executed.',
    remedy: 'Wait for the job to end, or send a STOP to supersede a START.',
  }),
  outcome_contradicts: kind(409, 'The job ended with another result', {
    meaning: 'The job has ended with another result. The report was recorded in its timeline and changed nothing else.',
    why: 'The controller reported two different results for one command, or a person or a STOP ended the job first.',
    remedy: 'Report the outcome of a command once. The timeline of the job shows its state.',
  }),
  precondition_failed: kind(412, 'The machine has changed', {
    meaning: 'If-Match does not contain the current ETag of the machine. Nothing was changed.',
    why: 'Another user or a job has changed the machine since it was read.',
    remedy: 'Read the machine again, check whether the change is still needed, and send the new ETag.',
  }),
  body_too_large: kind(413, 'The body is too large', {
    meaning: 'The body of the request is larger than the server accepts.',
    why: 'A body may have at most 64 KiB.',
    remedy: 'Send a smaller body.',
  }),
  unsupported_media_type: kind(415, 'The body must be JSON', {
    meaning: 'The request does not declare its body as plain JSON in UTF-8, so the body was not processed.',
    why: 'The Content-Type header is absent, or it declares another format (such as a form or a JSON Patch) or another charset. Or Content-Encoding declares a compression.',
    remedy: 'Send the body as JSON in UTF-8, not compressed, with `Content-Type: application/json`.',
  }),
  validation_failed: kind(422, 'The input is not valid', {
    meaning: 'The input can be read, but it is not valid. Nothing was changed.',
    why: 'Each entry of `errors` names one fault: `pointer` is a JSON pointer into the body (empty for the whole body), `parameter` is the name of a query parameter or header.',
    remedy: 'Correct what `errors` names. The documentation describes every input.',
  }),
  wrong_password: kind(422, 'The current password is wrong', {
    meaning: 'The current password is wrong, so the new one was not set.',
    why: 'A change of the password requires the current one, so that a stolen token is not enough. Wrong passwords count as failed log-ins.',
    remedy: 'Send the current password as `current_password`.',
  }),
  idempotency_key_reused: kind(422, 'The Idempotency-Key was used for another request', {
    meaning: 'The Idempotency-Key was used for another request in the last 24 hours. Nothing was changed.',
    why: 'A key belongs to one request: the same request gets the same answer, another request is refused.',
    remedy: 'Use a new key, such as a UUID, for each new request. Send a key again only to repeat its request.',
  }),
  rate_limited: kind(429, 'Too many requests', {
    meaning: 'There were too many requests in a short time. Nothing was changed.',
    why: 'Requests are counted per account, failed log-ins per name and address, sign-ups per address. Passwords are checked one at a time, and the queue for that is short.',
    remedy: 'Wait for the number of seconds in Retry-After, then send requests less often.',
    isRetryable: true,
  }),
  internal_error: kind(500, 'Internal server error', {
    meaning: 'An unexpected error occurred. The details are in the log of the server, not in the answer.',
    why: 'The server has a defect.',
    remedy:
      'Before you send the request again, check whether it took effect; an Idempotency-Key makes a repeat safe. Report the `request_id`.',
    isRetryable: true,
  }),
  misconfigured: kind(503, 'The server is not configured correctly', {
    meaning:
      'A part of the configuration of the server is absent or invalid. The server refuses every request until that is corrected.',
    why: 'A variable, a secret or a binding of the server is absent or invalid. `detail` contains its name, never its value.',
    remedy:
      'Set what `detail` names, and deploy again. On your own machine, `npm run dev` writes the variables to .dev.vars.',
    isRetryable: true,
  }),
  database_unavailable: kind(503, 'The database is unavailable', {
    meaning: 'The database did not answer in time. It is not known whether the request took effect.',
    why: 'The database is restarting, is overloaded, or cannot be reached.',
    remedy:
      'Wait for the number of seconds in Retry-After, then send the request again, with the same Idempotency-Key if it had one. On your own machine, `npm run platform` starts the database.',
    isRetryable: true,
  }),
}

export type ErrorCode = keyof typeof errorKinds

export const errorCodes = Object.keys(errorKinds) as [ErrorCode, ...ErrorCode[]] // Object.keys returns string[]
