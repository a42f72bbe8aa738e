// A message of the QStash stand-in, and its form in the API: as a message and as a dead letter.
// https://upstash.com/docs/qstash/api-reference/messages/get-a-message
import { isUtf8 } from 'node:buffer'
import { randomBytes } from 'node:crypto'

/** Header names in their canonical form (`Test-Header`), each with its values. */
export type HeaderMap = Record<string, string[]>

/** What the publisher decides about a message, except when it is sent. */
export type NewMessage = {
  /** The destination exactly as published. */
  url: string
  method: string
  /** The publisher's headers that the destination gets. */
  header: HeaderMap
  body: Buffer
  maxRetries: number
  timeoutMs?: number | undefined
  retryDelayExpression?: string | undefined
  failureCallback?: string | undefined
  labels: string[]
}

/** A message that is not delivered yet. Times are Unix milliseconds. */
export type PendingMessage = NewMessage & {
  messageId: string
  createdAt: number
  notBefore: number
  callerIP: string
  /** How many attempts have failed so far. */
  retried: number
  /** When the next attempt is due. */
  nextAt: number
}

/** The result of one attempt. `status` is 0 where there was no answer. */
export type AttemptResult = { status: number; header: HeaderMap; body: Buffer }

export const noAnswer: AttemptResult = { status: 0, header: {}, body: Buffer.alloc(0) }

/** `dlqId` is `<Unix milliseconds>-<n>`. */
export type DeadLetter = {
  dlqId: string
  message: PendingMessage
  result: AttemptResult
}

/** A message as `GET /v2/messages/{id}` shows it. */
export type Message = ReturnType<typeof showMessage>

// Absent fields are `undefined`: JSON leaves them out.
export function showMessage(message: PendingMessage) {
  return {
    messageId: message.messageId,
    url: message.url,
    method: message.method,
    header: message.header,
    ...showBytes('body', message.body),
    maxRetries: message.maxRetries,
    notBefore: message.notBefore,
    createdAt: message.createdAt,
    callerIP: message.callerIP,
    failureCallback: message.failureCallback,
    retryDelayExpression: message.retryDelayExpression,
    label: message.labels[0],
    labels: message.labels.length === 0 ? undefined : message.labels,
  }
}

/** A dead letter as `GET /v2/dlq/{id}` shows it. `responseStatus` is 0 if there was no answer. */
export function showDeadLetter({ dlqId, message, result }: DeadLetter) {
  return {
    ...showMessage(message),
    dlqId,
    responseStatus: result.status,
    responseHeader: result.header,
    ...showBytes('responseBody', result.body),
  }
}

function showBytes<Name extends string>(name: Name, bytes: Buffer) {
  const isText = bytes.length > 0 && isUtf8(bytes)
  const isBinary = bytes.length > 0 && !isText
  return {
    [name]: isText ? bytes.toString('utf8') : undefined,
    [`${name}Base64`]: isBinary ? bytes.toString('base64') : undefined,
  } as { [Key in Name | `${Name}Base64`]?: string } // a computed key widens to string without it
}

/** `test-header` → `Test-Header`, the form in which the API shows header names. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())
}

/** `prefix` and 28 random characters. */
export function randomId(prefix: string): string {
  return prefix + randomBytes(21).toString('base64url').replaceAll(/[-_]/g, '0')
}
