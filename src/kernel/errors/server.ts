// Errors of the server, its limits, and what it depends on.
import { kind } from './kind.ts'

export const serverErrors = {
  controller_unreachable: kind(502, 'The controller did not answer', {
    meaning: 'The controller at `controller_url` gave no answer. It is not confirmed.',
    why: 'It is switched off, busy or restarting, or a firewall blocks the connection. `detail` says what happened.',
    remedy: 'Check that the controller answers at this address, then try again.',
    isRetryable: true,
  }),
  rate_limited: kind(429, 'Too many requests', {
    meaning: 'There were too many requests in a short time. Nothing was changed.',
    why: 'Requests are counted per session or API key, STOP by itself; failed log-ins per name and address, sign-ups per address. Passwords are checked one at a time, and the queue for that is short.',
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
    meaning: 'A part of the configuration of the server is absent or invalid, so every request is refused.',
    why: 'A variable, a secret or a binding of the server is absent or invalid. `detail` contains its name, never its value.',
    remedy:
      'Set what `detail` names, and deploy again. On your own machine, `npm run dev` writes the variables to .dev.vars.',
    isRetryable: true,
  }),
  feed_unavailable: kind(503, 'The change feed is unavailable', {
    meaning: 'Changes cannot be followed now. Everything else works.',
    why: 'Redis, which carries the changes, is restarting, is overloaded, or cannot be reached.',
    remedy: 'Read the board every few seconds instead, and try again after the number of seconds in Retry-After.',
    isRetryable: true,
  }),
  database_unavailable: kind(503, 'The database is unavailable', {
    meaning:
      'The database did not answer, or could not change the rows. `detail` says whether the request may have taken effect.',
    why: 'The database is restarting, is overloaded, or cannot be reached, or other requests are changing the same rows.',
    remedy:
      'Wait for the number of seconds in Retry-After, then send the request again, with the same Idempotency-Key if it had one. On your own machine, `npm run platform` starts the database.',
    isRetryable: true,
  }),
}
