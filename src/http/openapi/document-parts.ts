// The parts of the OpenAPI document that no route says of itself: what the API is, tags, headers, how one signs in.

/** That of package.json, which the bundle cannot read: a test holds the two equal. */
const version = '0.1.0'

const text = (description: string, example: string) => ({ description, schema: { type: 'string' as const }, example })
const seconds = (description: string) => ({
  description,
  schema: { type: 'integer' as const, minimum: 0 },
  example: 1,
})

const introduction = `
Tiebar runs a fleet of injection moulding machines. Sign in, keep a registry of machines, and send START and STOP to them
as jobs whose progress can be watched and whose history is kept.

**Commands are jobs.** \`POST /api/machines/{id}/operation\` answers 202 with a job; only the \`state\` of the job says
what the machine did. A START that cannot be sent in time is never sent; a STOP takes the place of an open START.

**Errors** are \`application/problem+json\` (RFC 9457) with a \`code\` of a closed list: see [/api/problems](/api/problems).

**Lists** come in pages: \`next_cursor\` of one page is the \`cursor\` of the next, and the Link header has the whole URL.

**Repeating a request** is safe with an \`Idempotency-Key\`: the same request with the same key takes effect once.

**Input is strict.** A member of a body or a query parameter that is not known is refused with 422 and named. Read-only
members are ignored, so that what was read can be changed and sent back. A change that changes nothing leaves the ETag.

A trailing slash is optional on every path; times are RFC 3339 in UTC.
`.trim()

export function documentParts(publicUrl: string) {
  return {
    head: {
      openapi: '3.1.0',
      info: {
        title: 'Tiebar',
        version,
        summary: 'Injection moulding machines, managed from the edge',
        description: introduction,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: publicUrl, description: 'This server' }],
      tags: [
        { name: 'Accounts', description: 'Signing up, in and out; sessions; staff' },
        { name: 'Machines', description: 'The registry of machines' },
        { name: 'Jobs', description: 'Commands to machines, what became of them, and their history' },
        { name: 'Callbacks', description: 'For the queue and the controllers of machines, not for people' },
        { name: 'Health', description: 'Is the service well' },
        { name: 'Documentation', description: 'This document, its pages, and the pages of the problems' },
      ],
    },
    headers: {
      'X-Request-Id': text('Names this request in the log of the server', 'e7c1a5f2-9a0b-4f3e-8d6c-2b1a0c9d8e7f'),
      'WWW-Authenticate': text('How to sign in, and what is wrong with the token that was sent (RFC 6750)', 'Bearer'),
      'Retry-After': seconds('Seconds to wait before the next request'),
      RateLimit: text('What is left of the limit that is used up, and for how long', '"account";r=0;t=10'),
      'RateLimit-Policy': text('The limit that is used up', '"account";q=1000;w=10'),
      Location: text('Where the new thing is', '/api/jobs/0198c0de-7c1a-7000-8000-000000000001'),
      ETag: text('The state of what was answered, for If-Match and If-None-Match (RFC 9110 §8.8.3)', '"42.7"'),
      Link: text(
        'The next page, unless this is the last (RFC 8288)',
        '</api/machines?cursor=WyJpZCIsIjIwIl0>; rel="next"',
      ),
      'Idempotency-Replayed': text('`true` when this is the first answer of the key again', 'true'),
      'Upstash-NonRetryable-Error': text('`true`: the message will never succeed', 'true'),
    },
    // Without examples: Swagger UI would send them.
    parameters: {
      'Idempotency-Key': {
        name: 'Idempotency-Key',
        in: 'header' as const,
        description:
          'Makes the request safe to repeat: for 24 hours the same request with the same key is answered as the first time, and takes effect once.',
        schema: { type: 'string' as const, minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
      },
      'If-Match': {
        name: 'If-Match',
        in: 'header' as const,
        description: 'The ETag that was read: the request takes effect only while that is still the state.',
        schema: { type: 'string' as const },
      },
      'If-None-Match': {
        name: 'If-None-Match',
        in: 'header' as const,
        description: 'The ETag that was read before: 304 while that is still the state.',
        schema: { type: 'string' as const },
      },
    },
    securitySchemes: {
      bearer: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'The `access` token of sign-up, log-in or refresh; good for 30 minutes',
      },
      queue: {
        type: 'apiKey' as const,
        in: 'header' as const,
        name: 'Upstash-Signature',
        description: 'The signature of QStash over this very URL and body',
      },
      controller: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'Signed by Tiebar for one command: see the webhook',
      },
      outcome: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'The `outcome_token` of the command that the controller was sent; good for 24 hours and one job',
      },
    },
  }
}
