// How a machine of the controller stand-in can be told to behave: the shapes of its control API, and the queue of
// behaviours that a script makes.
import { z } from 'zod'

const delayMs = z.int().min(0).max(3_600_000)

/** What every behaviour may carry beside its mode. */
const common = {
  /** It holds for so many commands; then the machine goes on with its script, or obeys. */
  times: z.int().min(1).optional(),
  /** It holds for this command alone; the other one is obeyed and not counted. */
  only: z.enum(['START', 'STOP']).optional(),
}

const detail = z.string().max(2_000).optional()

export const behaviourSchema = z.discriminatedUnion('mode', [
  /** Does it at once and says SUCCESS. */
  z.object({ ...common, mode: z.literal('obey'), detail }),
  /** Says PENDING, does it for `after_ms`, then reports `result` to the command's outcome URL. */
  z.object({
    ...common,
    mode: z.literal('warm-up'),
    after_ms: delayMs.default(3_000),
    result: z.enum(['SUCCESS', 'REMOTEFAILED']).default('SUCCESS'),
    detail,
    /** The wait before a report that was not taken is tried again; it doubles each time. */
    report_retry_ms: delayMs.min(1).default(500),
  }),
  /** Does nothing and says REMOTEFAILED. */
  z.object({ ...common, mode: z.literal('refuse'), detail: detail.default('the safety gate is open') }),
  /** Does nothing and answers as told. A string is sent as it is, anything else as JSON. */
  z.object({
    ...common,
    mode: z.literal('fail'),
    status: z.int().min(200).max(599).default(500),
    body: z.unknown().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  /** Does nothing and answers 200 with a page of HTML, as a captive portal would. */
  z.object({ ...common, mode: z.literal('garbage') }),
  /** Cuts the connection without a word; the machine never saw the command. */
  z.object({ ...common, mode: z.literal('away') }),
  /** Never answers; ends when the client leaves. */
  z.object({ ...common, mode: z.literal('hang') }),
  /** Does it at once, but says so late. */
  z.object({ ...common, mode: z.literal('slow'), after_ms: delayMs.default(3_000) }),
  /** Sends the client elsewhere: to another machine of this controller, unless told. */
  z.object({
    ...common,
    mode: z.literal('redirect'),
    status: z.literal([301, 302, 303, 307, 308]).default(302),
    location: z.string().min(1).optional(),
  }),
  /** Says SUCCESS in an answer of more than 64 KiB. */
  z.object({ ...common, mode: z.literal('huge') }),
  /** Does it, then cuts the connection instead of saying so. */
  z.object({ ...common, mode: z.literal('act-then-die') }),
])

/** One behaviour, or several one after the other: each holds for `times` commands (1), after the last it obeys. */
export const behaviourOrderSchema = z.union([
  behaviourSchema,
  z.object({ script: z.array(behaviourSchema).min(1).max(100) }),
])

export type Behaviour = z.output<typeof behaviourSchema>
export type BehaviourOrder = z.input<typeof behaviourOrderSchema>

/** What a machine does next, command by command. */
export type BehaviourQueue = { current(): Behaviour; next(command: 'START' | 'STOP'): Behaviour }

const obey: Behaviour = { mode: 'obey' }

/** @throws z.ZodError when the order makes no sense. */
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
