// The fault matrix as a table: how commands reach the machine, which service fails, how, and at which step of a job.
// Combinations that do not apply are listed here with the reason.

/** `push`: commands are posted to the controller · `pull`: the machine fetches them with its reports. */
export const transports = ['push', 'pull'] as const
export type Transport = (typeof transports)[number]

export const services = ['postgres', 'redis', 'qstash', 'controller', 'worker'] as const
export type Service = (typeof services)[number]

export const faults = ['away', 'hang', 'slow', 'error', 'lost', 'double', 'order', 'restart'] as const
export type Fault = (typeof faults)[number]

/**
 * `request` decides and stores · `publish` sends the job to QStash · `claim` starts a delivery · `confirm` asks the
 * controller whether it controls the machine · `command` is the call to the controller · `report` stores one that changes
 * only counters · `fetch` stores another report and hands out the command · `outcome` stores the controller's answer or its
 * report · `failed` is QStash's failure callback · `sweep` is the cron
 */
export const steps = [
  'request',
  'publish',
  'claim',
  'confirm',
  'command',
  'report',
  'fetch',
  'outcome',
  'failed',
  'sweep',
] as const
export type Step = (typeof steps)[number]

export type Scenario = { transport: Transport; service: Service; fault: Fault; step: Step }

type Rule = {
  why: string
  transport?: Transport
  services: readonly Service[]
  faults?: readonly Fault[]
  steps?: readonly Step[]
}

const notApplicable: Rule[] = [
  { why: 'the machine does not report', transport: 'push', services, steps: ['report', 'fetch'] },
  {
    why: 'nothing is delivered to the machine: it fetches its commands',
    transport: 'pull',
    services,
    steps: ['claim', 'confirm', 'command'],
  },
  { why: '`push` covers what ends a job without the machine', transport: 'pull', services, steps: ['failed', 'sweep'] },
  {
    why: 'QStash gets one message, which only ends the job',
    transport: 'pull',
    services: ['qstash'],
    steps: ['request', 'report', 'fetch', 'outcome'],
  },
  { why: 'there is only one message', transport: 'pull', services: ['qstash'], faults: ['order'] },
  { why: 'Redis is not called', transport: 'pull', services: ['redis'], steps: ['report'] },
  {
    why: 'the machine calls: it loses an answer, or sends a report twice',
    transport: 'pull',
    services: ['controller'],
    faults: ['away', 'hang', 'slow', 'error', 'order', 'restart'],
  },
  {
    why: '`fetch` covers the answers to all reports',
    transport: 'pull',
    services: ['controller'],
    steps: ['request', 'publish', 'report', 'outcome'],
  },

  {
    why: 'a statement is sent once on its own connection, and the next one waits for its answer',
    services: ['postgres'],
    faults: ['double', 'order'],
  },
  { why: 'PostgreSQL is not called at this step', services: ['postgres'], steps: ['publish', 'command'] },

  { why: 'a write is sent once', services: ['redis'], faults: ['double'] },
  {
    why: '`slow` covers the order of two writes: the older one arrives last',
    services: ['redis'],
    faults: ['order'],
  },
  { why: 'Redis is not called', services: ['redis'], steps: ['publish', 'confirm', 'command'] },

  { why: '`command` covers the call to the controller during a delivery', services: ['qstash'], steps: ['confirm'] },
  { why: 'there is one CONFIRM at a time', services: ['controller'], faults: ['order'], steps: ['confirm'] },
  { why: 'the request sends the job to QStash at `publish`', services: ['qstash'], steps: ['request'] },
  {
    why: 'QStash is the client at this step: it sends no answer',
    services: ['qstash'],
    faults: ['error'],
    steps: ['claim', 'command'],
  },
  {
    why: '`outcome` covers the loss of our answer',
    services: ['qstash'],
    faults: ['lost'],
    steps: ['claim', 'command'],
  },
  {
    why: 'QStash only waits for our answer; `restart` covers a QStash that stops',
    services: ['qstash'],
    faults: ['away', 'hang', 'slow', 'error'],
    steps: ['command', 'outcome'],
  },
  {
    why: 'only one message is in transit; `claim` and `sweep` cover the order of several',
    services: ['qstash'],
    faults: ['order'],
    steps: ['publish', 'command', 'outcome', 'failed'],
  },

  {
    why: 'the controller is not called at this step',
    services: ['controller'],
    steps: ['request', 'publish', 'claim', 'failed', 'sweep'],
  },
  {
    why: '`away` covers a missing report, whatever its cause',
    services: ['controller'],
    faults: ['hang', 'restart'],
    steps: ['outcome'],
  },
  {
    why: '`double` covers a report whose answer is lost: it is sent again',
    services: ['controller'],
    faults: ['lost'],
    steps: ['outcome'],
  },

  { why: 'a Worker that is killed sends no answer', services: ['worker'], faults: ['error'] },
  {
    why: 'the scenarios of QStash cover messages that arrive twice or out of order',
    services: ['worker'],
    faults: ['double', 'order'],
  },
]

export const allScenarios: Scenario[] = transports.flatMap((transport) =>
  services.flatMap((service) => faults.flatMap((fault) => steps.map((step) => ({ transport, service, fault, step })))),
)

/** Returns the reason why the scenario does not apply, or undefined when it runs. */
export function findExclusionReason({ transport, service, fault, step }: Scenario): string | undefined {
  const fits = (rule: Rule) =>
    (rule.transport ?? transport) === transport &&
    rule.services.includes(service) &&
    (rule.faults ?? faults).includes(fault) &&
    (rule.steps ?? steps).includes(step)
  return notApplicable.find(fits)?.why
}

export function describeScenario({ transport, service, fault, step }: Scenario): string {
  return `${transport} ${service} ${fault} at ${step}`
}
