// The message that reports a dead message to its failure callback. https://upstash.com/docs/qstash/features/callbacks
import type { DeadLetter, NewMessage } from './message.ts'

export function failureCallbackMessage(url: string, letter: DeadLetter): NewMessage {
  return {
    url,
    method: 'POST',
    header: { 'Content-Type': ['application/json'] },
    body: Buffer.from(JSON.stringify(callbackBody(letter))),
    // "Callbacks will use the retry setting from the original request."
    maxRetries: letter.message.maxRetries,
    labels: [],
  }
}

function callbackBody({ dlqId, message, result }: DeadLetter) {
  return {
    status: result.status,
    header: result.header,
    body: result.body.toString('base64'),
    retried: message.retried,
    maxRetries: message.maxRetries,
    dlqId,
    sourceMessageId: message.messageId,
    topicName: '',
    endpointName: '',
    url: message.url,
    method: message.method,
    sourceHeader: message.header,
    sourceBody: message.body.toString('base64'),
    // Strings, as in the documentation's example.
    notBefore: String(message.notBefore),
    createdAt: String(message.createdAt),
    scheduleId: '',
    callerIP: message.callerIP,
  }
}
