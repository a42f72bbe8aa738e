// A deadline that counts only time in which an answer could have been seen.

const slices = 6

type Deadline = { signal: AbortSignal; clear: () => void }

/**
 * In slices: a password hash holds the isolate up for longer than a whole deadline of Redis. A plain timer would then be
 * heard before the answer that came meanwhile, and a flood of guesses would lift its own limit.
 */
function startDeadline(ms: number): Deadline {
  const controller = new AbortController()
  let left = slices
  const endSlice = () => {
    left -= 1
    if (left > 0) timer = setTimeout(endSlice, ms / slices)
    else controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError'))
  }
  let timer = setTimeout(endSlice, ms / slices)
  return { signal: controller.signal, clear: () => clearTimeout(timer) }
}

/** A signal that aborts after `ms`, whatever comes of the work: for clients that only take a signal. */
export function abortAfter(ms: number): AbortSignal {
  return startDeadline(ms).signal
}

/** Does the work with a signal that aborts after `ms`. Nothing of the deadline outlives it: a program can end. */
export async function within<Result>(ms: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const { signal, clear } = startDeadline(ms)
  try {
    return await work(signal)
  } finally {
    clear()
  }
}
