// Errors of the request itself: its form, its content, or what it accepts.
import { kind } from './kind.ts'

export const inputErrors = {
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
    meaning: 'The current password is wrong. Nothing was changed.',
    why: 'A change of the password or of the e-mail address, and a grant of staff rights, require the current password of the caller, so that a stolen token is not enough. Wrong passwords count as failed log-ins.',
    remedy: 'Send the current password as `current_password`.',
  }),
  reset_token_invalid: kind(422, 'The reset token is not valid', {
    meaning: 'The token cannot be used to set a password. Nothing was changed.',
    why: 'It was used already, is older than 24 hours, was replaced by another one, or is not complete. Or the account is disabled.',
    remedy: 'Ask a staff member for a new token.',
  }),
  idempotency_key_reused: kind(422, 'The Idempotency-Key was used for another request', {
    meaning: 'The Idempotency-Key was used for another request in the last 24 hours. Nothing was changed.',
    why: 'A key belongs to one request: the same request gets the same answer, another request is refused.',
    remedy: 'Use a new key, such as a UUID, for each new request. Send a key again only to repeat its request.',
  }),
}
