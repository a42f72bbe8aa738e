// The message that tells a callback or failure callback how another message fared.
// https://upstash.com/docs/qstash/features/callbacks
import type { AttemptResult, CallbackPlan, Parcel, PendingMessage } from './message.ts'

/** `dlqId` is given for a failure callback only: where the dead letter lies. */
export function callbackParcel(
  source: PendingMessage,
  plan: CallbackPlan,
  result: AttemptResult,
  dlqId?: string,
): Parcel {
  return {
    url: plan.url,
    method: plan.method,
    header: plan.header,
    body: Buffer.from(JSON.stringify(callbackBody(source, result, dlqId))),
    // "Callbacks will use the retry setting from the original request", unless they have their own.
    maxRetries: plan.maxRetries ?? source.maxRetries,
    timeoutMs: plan.timeoutMs,
    retryDelayExpression: plan.retryDelayExpression,
    labels: [],
  }
}

function callbackBody(source: PendingMessage, result: AttemptResult, dlqId: string | undefined) {
  return {
    status: result.status,
    header: result.header,
    body: result.body.toString('base64'),
    retried: source.retried,
    maxRetries: source.maxRetries,
    dlqId,
    sourceMessageId: source.messageId,
    topicName: '',
    endpointName: '',
    url: source.url,
    method: source.method,
    sourceHeader: source.header,
    sourceBody: source.body.toString('base64'),
    // Strings, as in the documentation's example.
    notBefore: String(source.notBefore),
    createdAt: String(source.createdAt),
    scheduleId: '',
    callerIP: source.callerIP,
  }
}
