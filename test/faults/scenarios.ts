// The fault matrix as a table: which service fails how, at which step of a job's life. What makes no sense stands here
// with its reason; nothing is left out in silence.

export const services = ['postgres', 'redis', 'qstash', 'controller', 'worker'] as const
export type Service = (typeof services)[number]

export const faults = ['away', 'hang', 'slow', 'error', 'lost', 'double', 'order', 'restart'] as const
export type Fault = (typeof faults)[number]

/**
 * `request` decides and stores · `publish` hands over · `claim` is the beginning of a delivery · `command` is at the
 * controller · `outcome` stores its answer, or is its report · `failed` is QStash's failure callback · `sweep`
 */
export const steps = ['request', 'publish', 'claim', 'command', 'outcome', 'failed', 'sweep'] as const
export type Step = (typeof steps)[number]

export type Cell = { service: Service; fault: Fault; step: Step }

type Rule = { why: string; services: Service[]; faults?: readonly Fault[]; steps?: readonly Step[] }

const notApplicable: Rule[] = [
  {
    why: 'a statement is sent once on its own connection, and the next one waits for its answer',
    services: ['postgres'],
    faults: ['double', 'order'],
  },
  { why: 'PostgreSQL is not asked while the controller works', services: ['postgres'], steps: ['command'] },

  { why: 'a write is sent once', services: ['redis'], faults: ['double'] },
  {
    why: 'the order of two writes is seen at `slow`: the older one comes last',
    services: ['redis'],
    faults: ['order'],
  },
  { why: 'Redis is not asked', services: ['redis'], steps: ['publish', 'command'] },

  { why: 'the request hands over at `publish`', services: ['qstash'], steps: ['request'] },
  { why: 'here QStash asks: it answers nothing', services: ['qstash'], faults: ['error'], steps: ['claim', 'command'] },
  {
    why: 'what becomes of our answer is seen at `outcome`',
    services: ['qstash'],
    faults: ['lost'],
    steps: ['claim', 'command'],
  },
  {
    why: 'QStash only waits for our answer; a QStash that ends is `restart`',
    services: ['qstash'],
    faults: ['away', 'hang', 'slow', 'error'],
    steps: ['command', 'outcome'],
  },
  {
    why: 'one message is on its way; the order of several is seen at `claim` and `sweep`',
    services: ['qstash'],
    faults: ['order'],
    steps: ['publish', 'command', 'outcome', 'failed'],
  },

  {
    why: 'the controller has no part in it',
    services: ['controller'],
    steps: ['request', 'publish', 'claim', 'failed', 'sweep'],
  },
  {
    why: 'a report that does not come is `away`, whatever the controller does meanwhile',
    services: ['controller'],
    faults: ['hang', 'restart'],
    steps: ['outcome'],
  },
  {
    why: 'a report whose answer is lost comes again: `double`',
    services: ['controller'],
    faults: ['lost'],
    steps: ['outcome'],
  },

  { why: 'a Worker that is killed answers nothing', services: ['worker'], faults: ['error'] },
  { why: 'what it is sent twice or out of order comes from QStash', services: ['worker'], faults: ['double', 'order'] },
]

export const allCells: Cell[] = services.flatMap((service) =>
  faults.flatMap((fault) => steps.map((step) => ({ service, fault, step }))),
)

/** Undefined: the cell is played. */
export function whyNot({ service, fault, step }: Cell): string | undefined {
  const fits = (rule: Rule) =>
    rule.services.includes(service) && (rule.faults ?? faults).includes(fault) && (rule.steps ?? steps).includes(step)
  return notApplicable.find(fits)?.why
}

export function nameOf({ service, fault, step }: Cell): string {
  return `${service} ${fault} at ${step}`
}
