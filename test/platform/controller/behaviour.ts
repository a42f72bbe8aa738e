// The behaviours of a machine of the controller stand-in: the schemas of its control API, and the queue of behaviours of a
// script.
import { z } from 'zod'

const delayMs = z.int().min(0).max(3_600_000)

/** Optional members of every behaviour. */
const common = {
  /** The behaviour applies to this number of commands; then the next one of the script applies, or the machine obeys. */
  times: z.int().min(1).optional(),
  /** The behaviour applies to this command only; the machine obeys the other one, which is not counted. */
  only: z.enum(['START', 'STOP']).optional(),
}

const detail = z.string().max(2_000).optional()

export const behaviourSchema = z.discriminatedUnion('mode', [
  /** Executes at once and answers SUCCESS. */
  z.object({ ...common, mode: z.literal('obey'), detail }),
  /** Answers PENDING, works for `after_ms`, then reports `result` to the command's outcome URL. */
  z.object({
    ...common,
    mode: z.literal('warm-up'),
    after_ms: delayMs.default(3_000),
    result: z.enum(['SUCCESS', 'REMOTEFAILED']).default('SUCCESS'),
    detail,
    /** The delay before a report that was not accepted is sent again; it doubles each time. */
    report_retry_ms: delayMs.min(1).default(500),
  }),
  /** Does nothing and answers REMOTEFAILED. */
  z.object({ ...common, mode: z.literal('refuse'), detail: detail.default('the safety gate is open') }),
  /** Does nothing and answers as configured. A string is sent unchanged, any other body as JSON. */
  z.object({
    ...common,
    mode: z.literal('fail'),
    status: z.int().min(200).max(599).default(500),
    body: z.unknown().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  /** Does nothing and answers 200 with a page of HTML, as a captive portal would. */
  z.object({ ...common, mode: z.literal('garbage') }),
  /** Unavailable: closes the connection without an answer, and does nothing. */
  z.object({ ...common, mode: z.literal('away') }),
  /** Never answers; ends when the client disconnects. */
  z.object({ ...common, mode: z.literal('hang') }),
  /** Executes at once, but answers late. */
  z.object({ ...common, mode: z.literal('slow'), after_ms: delayMs.default(3_000) }),
  /** Redirects the client, by default to another machine of this controller. */
  z.object({
    ...common,
    mode: z.literal('redirect'),
    status: z.literal([301, 302, 303, 307, 308]).default(302),
    location: z.string().min(1).optional(),
  }),
  /** Answers SUCCESS with more than 64 KiB. */
  z.object({ ...common, mode: z.literal('huge') }),
  /** Executes, then closes the connection without an answer. */
  z.object({ ...common, mode: z.literal('act-then-die') }),
])

/** One behaviour, or several in order: each applies to `times` commands (by default 1), then the machine obeys. */
export const behaviourOrderSchema = z.union([
  behaviourSchema,
  z.object({ script: z.array(behaviourSchema).min(1).max(100) }),
])

export type Behaviour = z.output<typeof behaviourSchema>
export type BehaviourOrder = z.input<typeof behaviourOrderSchema>

/** The behaviour for the next commands. */
export type BehaviourQueue = { current(): Behaviour; next(command: 'START' | 'STOP'): Behaviour }

const obey: Behaviour = { mode: 'obey' }

/** @throws z.ZodError for an invalid order */
export function queueBehaviours(order: BehaviourOrder): BehaviourQueue {
  const parsed = behaviourOrderSchema.parse(order)
  const queue = 'script' in parsed ? parsed.script.map((step) => ({ ...step, times: step.times ?? 1 })) : [parsed]
  return {
    current: () => queue[0] ?? obey,
    next(command) {
      const head = queue[0]
      if (head === undefined || (head.only !== undefined && head.only !== command)) return obey
      if (head.times !== undefined) {
        if (head.times > 1) queue[0] = { ...head, times: head.times - 1 }
        else queue.shift()
      }
      return head
    },
  }
}
