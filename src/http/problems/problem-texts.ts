// What each problem's own page says. The type demands a text for every code, so none can be answered without one.
import type { ErrorCode } from '../../kernel/error.ts'

export type ProblemText = {
  /** What the answer says has happened. */
  meaning: string
  /** How one comes to get it. */
  why: string
  /** What to do about it. */
  remedy: string
}

export const problemTexts: Record<ErrorCode, ProblemText> = {
  malformed_json: {
    meaning: 'The body of the request could not be read as JSON. Nothing was done.',
    why: 'The body is empty, is cut off, is not UTF-8, or is written in another language such as a form or JavaScript.',
    remedy: 'Send one JSON value in UTF-8, with double quotes and without trailing commas.',
  },
  malformed_request: {
    meaning: 'The request could not be read. Nothing was done.',
    why: 'A part of the request breaks the rules of HTTP or of the format that it says it has.',
    remedy: 'Read `detail`, and compare the request with the description of the operation.',
  },
  token_missing: {
    meaning: 'The operation needs a token, and the request has none.',
    why: 'The Authorization header is absent.',
    remedy: 'Log in, and send the access token as `Authorization: Bearer TOKEN`.',
  },
  token_invalid: {
    meaning: 'The request has a token that is not good for this operation.',
    why: 'The token has expired, was changed on its way, is of another kind (a refresh token is no access token), or the Authorization header is not written as `Bearer TOKEN`.',
    remedy: 'Get a new access token at `POST /api/token/refresh`, or log in again.',
  },
  session_ended: {
    meaning: 'The token is genuine, but the session that it belongs to is over.',
    why: 'Somebody logged out, changed the password, ended the session, used an old refresh token again, or the account was disabled.',
    remedy: 'Log in again. If nobody you know ended the session, change the password.',
  },
  bad_credentials: {
    meaning: 'Nobody was signed in.',
    why: 'The username or the password is wrong, or the account is disabled. Which of them is not told.',
    remedy: 'Check both. Failed log-ins are counted: too many of them are answered 429.',
  },
  refresh_reused: {
    meaning: 'The refresh token had been exchanged before, so its session has been ended.',
    why: 'A refresh token is good once. Two users of one token mean that it was copied, or that a client kept an old one (RFC 9700 §4.14.2).',
    remedy: 'Log in again, and keep the newest refresh token of each answer.',
  },
  bad_signature: {
    meaning: 'The message does not come from the queue, so it was not looked at.',
    why: 'The Upstash-Signature header is absent, expired, made with other keys, or made for another URL or body.',
    remedy:
      'Only QStash can call this. If it does: compare the signing keys and the public URL of the server with those of QStash.',
  },
  not_owner: {
    meaning: 'The machine belongs to somebody else. Nothing was sent to it.',
    why: 'Only the owner of a machine and staff may change it, operate it, or read its history.',
    remedy: 'Ask the owner or somebody of the staff.',
  },
  staff_only: {
    meaning: 'The operation is for staff.',
    why: 'The account has no staff rights, or has lost them.',
    remedy: 'Ask somebody of the staff.',
  },
  not_found: {
    meaning: 'There is nothing at this path, or nothing that you may know of.',
    why: 'The path is misspelt, the thing was deleted, or its id was never given to anything that you may see.',
    remedy: 'Compare the path with the documentation; list the things to find their ids.',
  },
  method_not_allowed: {
    meaning: 'The path exists, but not with this method.',
    why: 'The request uses a method that is not in the Allow header of the answer.',
    remedy: 'Take one of the methods in the Allow header.',
  },
  not_acceptable: {
    meaning: 'The Accept header excludes everything that this path can answer. Nothing was done.',
    why: 'Most paths answer `application/json`, and problems as `application/problem+json`.',
    remedy: 'Send `Accept: application/json`, or no Accept header.',
  },
  username_taken: {
    meaning: 'Somebody has this username already.',
    why: 'Usernames are one regardless of case: Kim and kim are the same.',
    remedy: 'Choose another username, or log in if it is yours.',
  },
  email_taken: {
    meaning: 'Somebody has this e-mail address already.',
    why: 'An address belongs to one account, regardless of case.',
    remedy: 'Use another address, or log in to the account that has it.',
  },
  last_staff: {
    meaning: 'The account is the last active one with staff rights, so it was left as it is.',
    why: 'Without any staff nobody could give the rights back.',
    remedy: 'Give staff rights to another active account first.',
  },
  job_open: {
    meaning: 'A job of the machine has not ended yet, and what was asked would cross it.',
    why: 'A machine takes one START at a time, and its status, its controller and its deletion wait until its jobs have ended.',
    remedy: 'Watch the job in `job_id` until it ends, then try again. A STOP may be sent over an open START.',
  },
  wrong_state: {
    meaning: 'The machine is not in a state in which it could follow the command. The refusal is in its history.',
    why: 'A START needs a machine that is READY; a STOP needs one that is RUNNING, PENDING or in ERROR, or has an open START.',
    remedy: 'Read the machine. Out of ERROR lead a STOP and a change of its status by hand.',
  },
  no_controller: {
    meaning: 'There is nowhere to send the command to. The refusal is in the history of the machine.',
    why: 'The machine has no `controller_url`.',
    remedy: 'Give the machine the URL of its controller with PATCH.',
  },
  not_cancelable: {
    meaning: 'The job could not be taken back.',
    why: 'Only a QUEUED job can be, since a sent one may have been carried out. Neither can a STOP that took the place of a START which may have been.',
    remedy: 'Wait for the job to end, or send a STOP over a START.',
  },
  outcome_contradicts: {
    meaning: 'The job has ended with another result. The report was noted in its timeline and changed nothing.',
    why: 'The controller has reported two different ends of one command, or a person or a STOP was faster.',
    remedy: 'Report the outcome of a command once. The state of the job is in its timeline.',
  },
  precondition_failed: {
    meaning: 'The machine is not in the state that If-Match names. Nothing was changed.',
    why: 'Somebody else, or a job, has changed the machine since it was read.',
    remedy: 'Read the machine again, decide again, and send the new ETag.',
  },
  body_too_large: {
    meaning: 'The body of the request is larger than the server reads.',
    why: 'A body may have at most 64 KiB.',
    remedy: 'Send less.',
  },
  unsupported_media_type: {
    meaning: 'The body of the request is not said to be JSON, so it was not read.',
    why: 'The Content-Type header is absent or names another format, such as a form.',
    remedy: 'Send the body as JSON, with `Content-Type: application/json`.',
  },
  validation_failed: {
    meaning: 'The input can be read but does not fit. Nothing was done.',
    why: 'Each entry of `errors` names one fault: `pointer` is a JSON pointer into the body (empty for the whole of it), `parameter` the name of a query parameter or header.',
    remedy: 'Mend what `errors` names. The documentation has the shape of every input.',
  },
  wrong_password: {
    meaning: 'The present password is not right, so the new one was not set.',
    why: 'A change of the password needs the present one, so that a stolen token is not enough. Wrong ones count as failed log-ins.',
    remedy: 'Send the present password as `current_password`.',
  },
  idempotency_key_reused: {
    meaning: 'The Idempotency-Key has been used for another request in the last 24 hours. Nothing was done.',
    why: 'A key stands for one request: the same one is answered as before, another one is refused.',
    remedy: 'Take a new key, such as a UUID, for each new request, and keep it only for repeating that one.',
  },
  rate_limited: {
    meaning: 'There were too many requests in a short time. Nothing was done.',
    why: 'Requests are counted per account; failed log-ins per name and address; sign-ups per address. Passwords are checked one after the other, and the queue is short.',
    remedy: 'Wait for the seconds in Retry-After, and then send fewer.',
  },
  internal_error: {
    meaning:
      'Something went wrong that we did not foresee. The details are in the log of the server, not in the answer.',
    why: 'A defect of the server.',
    remedy:
      'Look whether the request took effect before it is sent again; an Idempotency-Key makes that safe. Tell us the `request_id`.',
  },
  misconfigured: {
    meaning: 'The server was started without everything that it needs, and does nothing until that is mended.',
    why: 'A variable, a secret or a binding of the server is absent or bad; `detail` names it, never its value.',
    remedy:
      'Set what `detail` names, and deploy again. On your own machine, `npm run dev` writes the variables to .dev.vars.',
  },
  database_unavailable: {
    meaning: 'The database did not answer in time. Whether the request took effect is not known.',
    why: 'The database is restarting, is overloaded, or cannot be reached.',
    remedy:
      'Wait for the seconds in Retry-After and send the request again, with the same Idempotency-Key where there is one. On your own machine, `npm run platform` starts the database.',
  },
}
