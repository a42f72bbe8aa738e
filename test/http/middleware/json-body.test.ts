// The size limit of bodies: a body that is too large is cancelled, so that it does not hold the connection.
import { describe, expect, test } from 'vitest'
import { jsonBody, readAtMost } from '../../../src/http/middleware/json-body.ts'

const limit = 10

/** A body in chunks; records how much was read and whether the rest was cancelled. */
function watchedBody(chunks: number[], headers: Record<string, string> = {}) {
  const seen = { chunks: 0, isCancelled: false }
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const size = chunks[seen.chunks]
        if (size === undefined) return controller.close()
        seen.chunks += 1
        controller.enqueue(new Uint8Array(size).fill(seen.chunks))
      },
      cancel() {
        seen.isCancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  const init = { method: 'POST', body: stream, headers, duplex: 'half' } // without `duplex`, Node takes no stream
  const request = () => new Request('http://127.0.0.1', init)
  return { response: new Response(stream, { headers }), request, seen }
}

describe('readAtMost', () => {
  test.each([
    ['nothing', []],
    ['one chunk', [10]],
    ['many chunks', [3, 0, 4, 3]],
  ])('reads a body of %s', async (_what, chunks) => {
    const { response, seen } = watchedBody(chunks)
    const expected = chunks.flatMap((size, index) => Array(size).fill(index + 1))
    expect([...(await readAtMost(response, limit))]).toEqual(expected)
    expect(seen.isCancelled).toBe(false)
  })

  test('refuses a body with a Content-Length that is too large, and cancels it unread', async () => {
    const { response, seen } = watchedBody([5], { 'Content-Length': '11' })
    await expect(readAtMost(response, limit)).rejects.toMatchObject({ code: 'body_too_large' })
    expect(seen).toEqual({ chunks: 0, isCancelled: true })
  })

  test.each([{}, { 'Content-Length': '1' }, { 'Content-Length': 'x' }])(
    'refuses a body with the header %j as soon as it is too large, and cancels the rest',
    async (headers) => {
      const { response, seen } = watchedBody([6, 6, 6, 6], headers)
      await expect(readAtMost(response, limit)).rejects.toMatchObject({ code: 'body_too_large' })
      expect(seen).toEqual({ chunks: 2, isCancelled: true })
    },
  )

  test('reads a request whose size is declared', async () => {
    const { request } = watchedBody([3, 4], { 'Content-Length': '7' })
    expect([...(await readAtMost(request(), limit))]).toEqual([1, 1, 1, 2, 2, 2, 2])
  })

  test.each([
    {},
    { 'Content-Length': 'x' },
    { 'Content-Length': '' },
    { 'Content-Length': '1', 'Transfer-Encoding': 'chunked' },
  ])('refuses a request with the headers %j as soon as it is too large', async (headers) => {
    const { request, seen } = watchedBody([6, 6, 6, 6], headers)
    await expect(readAtMost(request(), limit)).rejects.toMatchObject({ code: 'body_too_large' })
    expect(seen).toEqual({ chunks: 2, isCancelled: true })
  })
})

test.each([0, -1, 1.5, Number.NaN])('a limit of %d bytes throws when the route is created', (maxSize) => {
  expect(() => jsonBody({ maxSize })).toThrow(TypeError)
})
