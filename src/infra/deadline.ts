// A deadline that counts only time in which an answer could have been seen.

const slices = 6

/**
 * Aborts after `ms`, in slices. A password hash holds the isolate up for longer than a whole deadline of Redis: a plain
 * timer would then be heard before the answer that came meanwhile, and a flood of guesses would lift its own limit.
 */
export function abortAfter(ms: number): AbortSignal {
  const controller = new AbortController()
  let left = slices
  const endSlice = () => {
    left -= 1
    if (left > 0) setTimeout(endSlice, ms / slices)
    else controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError'))
  }
  setTimeout(endSlice, ms / slices)
  return controller.signal
}
