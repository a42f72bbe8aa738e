// Parts of the OpenAPI document that do not come from the routes: introduction, tags, headers, security schemes.

/** The version in package.json, which the bundle cannot read. A test checks that both are equal. */
const version = '0.1.0'

const text = (description: string, example: string) => ({ description, schema: { type: 'string' as const }, example })
const seconds = (description: string) => ({
  description,
  schema: { type: 'integer' as const, minimum: 0 },
  example: 1,
})

const introduction = `
Tiebar manages a fleet of injection moulding machines. Log in or use an API key, keep a registry of machines, and send START and STOP to
them as jobs. The API shows the progress of each job and keeps its history.

**Commands are jobs.** \`POST /api/machines/{id}/operation\` answers 202 with a job; only the \`state\` of the job says
what the machine did. A START that misses its deadline is never sent. A STOP is accepted at any time and supersedes every
open job.

**Errors** are \`application/problem+json\` (RFC 9457) with a \`code\`. [/api/problems](/api/problems) explains every code.

**Lists** are paginated: the \`next_cursor\` of one page is the \`cursor\` of the next. The Link header has the complete URL.

**Repeating a request** is safe with an \`Idempotency-Key\`: the same request with the same key takes effect once.

**Input is strict.** An unknown member of a body or an unknown query parameter is refused with 422, and \`errors\` names
it. Read-only members are ignored, so a client can send back what it read. A request that changes nothing keeps the ETag.

A trailing slash is optional on every path. Times are RFC 3339 in UTC.
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
        { name: 'Accounts', description: 'Sign-up, log-in, log-out, sessions, and administration by staff' },
        { name: 'Sites', description: 'Groups of machines, and who may do what with them' },
        { name: 'Keys', description: 'API keys, with which programs and machines act for an account' },
        { name: 'Machines', description: 'The registry of machines' },
        { name: 'Holds', description: 'Who is at a machine, and what prevents a command' },
        { name: 'Reports', description: 'What machines say about themselves, and the commands that they fetch' },
        { name: 'Jobs', description: 'Commands to machines, their progress and their history' },
        { name: 'Live', description: 'What happens to the machines now' },
        { name: 'Audit', description: 'Who changed which right, member, key or machine' },
        { name: 'Callbacks', description: 'For the queue and the controllers of machines, not for users' },
        { name: 'Health', description: 'Whether the service and its upstreams work' },
        {
          name: 'Documentation',
          description: 'This document and the explanations of the error codes',
        },
      ],
    },
    headers: {
      'X-Request-Id': text('Identifies this request in the log of the server', 'e7c1a5f2-9a0b-4f3e-8d6c-2b1a0c9d8e7f'),
      'WWW-Authenticate': text(
        'The authentication scheme, and the error if the token is not valid (RFC 6750)',
        'Bearer',
      ),
      'Retry-After': seconds('Seconds to wait before the next request'),
      RateLimit: text(
        'The remaining quota of the exceeded limit, and the seconds until it resets',
        '"requests";r=0;t=10',
      ),
      'RateLimit-Policy': text('The exceeded limit: its quota, and its window in seconds', '"requests";q=1000;w=10'),
      Location: text('The URL of the new resource', '/api/jobs/0198c0de-7c1a-7000-8000-000000000001'),
      ETag: text('The version of the resource, for If-Match and If-None-Match (RFC 9110 §8.8.3)', '"42.7"'),
      Link: text(
        'The URL of the next page; absent on the last page (RFC 8288)',
        '</api/machines?cursor=WyJpZCIsIjIwIl0>; rel="next"',
      ),
      'Idempotency-Replayed': text('`true` if this answer repeats the first answer to this key', 'true'),
      'Upstash-NonRetryable-Error': text('`true`: a retry of the message cannot succeed', 'true'),
    },
    // No examples, because Swagger UI would send them.
    parameters: {
      'Idempotency-Key': {
        name: 'Idempotency-Key',
        in: 'header' as const,
        description:
          'Makes the request safe to repeat: for 24 hours, the same request with the same key takes effect once and gets the same answer.',
        schema: { type: 'string' as const, minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
      },
      'If-Match': {
        name: 'If-Match',
        in: 'header' as const,
        description:
          'The ETag that the client read. The request takes effect only if this ETag is still current. A weak ETag, or one to ' +
          'which a proxy appended `-gzip` or another coding, is also recognised.',
        schema: { type: 'string' as const },
      },
      'If-None-Match': {
        name: 'If-None-Match',
        in: 'header' as const,
        description: 'The ETag that the client read before. The answer is 304 if this ETag is still current.',
        schema: { type: 'string' as const },
      },
    },
    securitySchemes: {
      bearer: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'The `access` token of sign-up, log-in or refresh. It is valid for 30 minutes.',
      },
      key: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'tbk_…',
        description:
          'An API key, for programs: the `secret` of `POST /api/keys`. An operation names the scopes that it needs; if it ' +
          'names several, each of them is enough.',
      },
      queue: {
        type: 'apiKey' as const,
        in: 'header' as const,
        name: 'Upstash-Signature',
        description: 'The signature of QStash for the URL and body of this request',
      },
      controller: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'A token that Tiebar signs for one command; see the webhook',
      },
      outcome: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description:
          'The `outcome_token` of the command that the controller received. It is valid for 24 hours and for one job.',
      },
    },
  }
}
