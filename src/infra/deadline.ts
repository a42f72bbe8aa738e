// Short deadlines that do not count the time during which the isolate is blocked.

const slices = 6

type Deadline = { signal: AbortSignal; clear: () => void }

/**
 * Splits the time into short timers. A password hash blocks the isolate for longer than the whole deadline of Redis. A
 * single timer would then fire before the answer that has arrived is processed. As limits fail open, many log-in attempts
 * at once would disable the limit on log-ins.
 */
function startDeadline(ms: number): Deadline {
  const controller = new AbortController()
  let remaining = slices
  const endSlice = () => {
    remaining -= 1
    if (remaining > 0) timer = setTimeout(endSlice, ms / slices)
    else controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError'))
  }
  let timer = setTimeout(endSlice, ms / slices)
  return { signal: controller.signal, clear: () => clearTimeout(timer) }
}

/**
 * Runs `work` with a signal that aborts after `ms`. Clears the timer when `work` ends: a program can exit, and no timer
 * fires in the rest of the request.
 */
export async function within<Result>(ms: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const { signal, clear } = startDeadline(ms)
  try {
    return await work(signal)
  } finally {
    clear()
  }
}
