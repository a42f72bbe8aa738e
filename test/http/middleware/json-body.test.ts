// The limit of what is read: what is too large is let go of, so that nobody's connection is held for it.
import { describe, expect, test } from 'vitest'
import { jsonBody, readAtMost } from '../../../src/http/middleware/json-body.ts'

const limit = 10

/** A body in chunks, and how much of it was taken and whether the rest was let go of. */
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
  return { response: new Response(stream, { headers }), seen }
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

  test('refuses a body that says it is too large, and lets go of it unread', async () => {
    const { response, seen } = watchedBody([5], { 'Content-Length': '11' })
    await expect(readAtMost(response, limit)).rejects.toMatchObject({ code: 'body_too_large' })
    expect(seen).toEqual({ chunks: 0, isCancelled: true })
  })

  test.each([{}, { 'Content-Length': '1' }, { 'Content-Length': 'x' }])(
    'refuses a body with the header %j as soon as it is too large, and lets go of the rest',
    async (headers) => {
      const { response, seen } = watchedBody([6, 6, 6, 6], headers)
      await expect(readAtMost(response, limit)).rejects.toMatchObject({ code: 'body_too_large' })
      expect(seen).toEqual({ chunks: 2, isCancelled: true })
    },
  )
})

test.each([0, -1, 1.5, Number.NaN])('a limit of %d bytes is a mistake that shows when the route is made', (maxSize) => {
  expect(() => jsonBody({ maxSize })).toThrow(TypeError)
})
