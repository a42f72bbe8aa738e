// What the QStash stand-in keeps of a message, and how the API shows it: in the message list, in the dead letter
// queue and in the logs. https://upstash.com/docs/qstash/api-reference/messages/get-a-message
import { isUtf8 } from 'node:buffer'
import { randomBytes } from 'node:crypto'

/** Header names in their canonical form (`Test-Header`), each with its values. */
export type HeaderMap = Record<string, string[]>

/** How a callback is to be sent, from the `Upstash-Callback-*` or `Upstash-Failure-Callback-*` headers. */
export type CallbackPlan = {
  url: string
  method: string
  header: HeaderMap
  delayMs: number
  /** Absent: as many as the message itself. */
  maxRetries?: number | undefined
  timeoutMs?: number | undefined
  retryDelayExpression?: string | undefined
}

/** All that a publisher decides about a message, but when it goes out. */
export type Parcel = {
  /** The destination exactly as published. */
  url: string
  method: string
  /** What the destination gets of the publisher's headers. */
  header: HeaderMap
  body: Buffer
  maxRetries: number
  timeoutMs?: number | undefined
  retryDelayExpression?: string | undefined
  callback?: CallbackPlan | undefined
  failureCallback?: CallbackPlan | undefined
  labels: string[]
}

/** A message on its way. Times are Unix milliseconds. */
export type PendingMessage = Parcel & {
  messageId: string
  createdAt: number
  notBefore: number
  callerIP: string
  /** How many attempts have failed so far. */
  retried: number
  /** When the next attempt is due. */
  nextAt: number
}

/** What came of one attempt. `status` is 0 where there was no answer, and `error` says why. */
export type AttemptResult = {
  status: number
  header: HeaderMap
  body: Buffer
  error?: string
}

/** `dlqId` is `<Unix milliseconds>-<n>`. */
export type DeadLetter = {
  dlqId: string
  failedAt: number
  message: PendingMessage
  result: AttemptResult
}

export type MessageState =
  | 'CREATED'
  | 'ACTIVE'
  | 'RETRY'
  | 'ERROR'
  | 'DELIVERED'
  | 'FAILED'
  | 'CANCEL_REQUESTED'
  | 'CANCELED'

/** One line of the log. `sequence` counts all events of a run and serves as the cursor. */
export type MessageEvent = {
  sequence: number
  time: number
  state: MessageState
  message: PendingMessage
  /** RETRY only. */
  nextDeliveryTime?: number
  /** ERROR and FAILED only. */
  result?: AttemptResult
}

/** A message as `GET /v2/messages/{id}` shows it. */
export type Message = ReturnType<typeof showMessage>

export function showMessage(message: PendingMessage) {
  return {
    ...describe(message),
    ...showBytes('body', message.body),
    retryDelayExpression: message.retryDelayExpression,
  }
}

/** An entry as `GET /v2/dlq/{id}` shows it. `responseStatus` is a number even where nobody answered. */
export function showDeadLetter({ dlqId, message, result }: DeadLetter) {
  return {
    ...showMessage(message),
    dlqId,
    responseStatus: result.status,
    responseHeader: result.header,
    ...showBytes('responseBody', result.body),
  }
}

/** An event as `GET /v2/events` shows it: bodies are base64 here. */
export function showEvent(event: MessageEvent) {
  const { message, result } = event
  const answered = event.state === 'ERROR' ? result : undefined
  return {
    time: event.time,
    state: event.state,
    ...describe(message),
    body: message.body.toString('base64'),
    timeout: message.timeoutMs,
    retryDelayExpr: message.retryDelayExpression,
    nextDeliveryTime: event.nextDeliveryTime,
    error: result === undefined ? undefined : (result.error ?? `unexpected response status ${result.status}`),
    responseStatus: answered?.status,
    responseHeader: answered?.header,
    responseBody: answered?.body.toString('base64'),
  }
}

// Absent fields are `undefined`: JSON leaves them out.
function describe(message: PendingMessage) {
  return {
    messageId: message.messageId,
    url: message.url,
    method: message.method,
    header: message.header,
    maxRetries: message.maxRetries,
    notBefore: message.notBefore,
    createdAt: message.createdAt,
    callerIP: message.callerIP,
    callback: message.callback?.url,
    failureCallback: message.failureCallback?.url,
    label: message.labels[0],
    labels: message.labels.length === 0 ? undefined : message.labels,
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

/** `prefix` and 28 characters that nobody can guess. */
export function randomId(prefix: string): string {
  return prefix + randomBytes(21).toString('base64url').replaceAll(/[-_]/g, '0')
}
