// The commands for machines, one row each. All differences between commands are defined here.
import type { MachineStatus } from '../machines/machine.ts'
import type { JobReason } from './job.ts'

export type CommandRule = {
  /** For the OpenAPI document. */
  description: string
  /** The statuses of a machine in which the command is accepted. */
  acceptedIn: readonly MachineStatus[]
  /** Whether the machine must still have one of these statuses when the command is sent. */
  isCheckedWhenSent: boolean
  /**
   * The command supersedes open jobs whose command has a lower precedence, and is then accepted in every status. All other
   * open jobs prevent it. No command may have a higher precedence than STOP.
   */
  precedence: number
  /** The reason of the jobs that the command supersedes. Null: it supersedes none. */
  supersededReason: JobReason | null
  /** The status of the machine when the controller reports success. */
  statusOnSuccess: MachineStatus
  /** The maximum number of attempts. Null: no limit until `not_after`. */
  maxAttempts: number | null
  /** How long after the request the command may be sent, if the request has no `expires_in`. */
  expiresInSeconds: number
  /** How often QStash retries a delivery before it reports the failure. */
  queueRetries: number
  /** After how long QStash delivers again while another attempt holds the lease. Null: when the lease ends. */
  leasedRetrySeconds: number | null
  /** The label of the messages at QStash, for its console. */
  label: string
}

const rules = {
  START: {
    description: 'Starts the machine. It is sent only before its `not_after`, and only if the machine is READY.',
    acceptedIn: ['READY'],
    isCheckedWhenSent: true,
    precedence: 0,
    supersededReason: null,
    statusOnSuccess: 'RUNNING',
    maxAttempts: 4,
    expiresInSeconds: 60,
    queueRetries: 3,
    leasedRetrySeconds: null,
    label: 'tiebar-start',
  },
  STOP: {
    description: 'Stops the machine. It supersedes an open START and is retried until its `not_after`.',
    acceptedIn: ['RUNNING', 'PENDING', 'ERROR'],
    isCheckedWhenSent: false,
    precedence: 9,
    supersededReason: 'by_stop',
    statusOnSuccess: 'READY',
    maxAttempts: null,
    expiresInSeconds: 600,
    queueRetries: 5,
    leasedRetrySeconds: 2, // the attempt may end long before its lease does
    label: 'tiebar-stop',
  },
} as const satisfies Record<string, CommandRule>

export type Command = keyof typeof rules
export const commands = Object.keys(rules) as [Command, ...Command[]] // Object.keys returns string[]
export const commandRules: Readonly<Record<Command, CommandRule>> = rules

/** The commands whose open jobs a command supersedes. */
export function supersededBy(command: Command): Command[] {
  return commands.filter((other) => commandRules[other].precedence < commandRules[command].precedence)
}

/**
 * QStash's delays between retries: 1, 2, 4, 8, 16, 30 s. The expression is in milliseconds. With the default delays of
 * QStash, a machine could start 30 min late.
 */
export const retryDelayExpression = 'min(30000, 1000 * pow(2, retried))'
const retryDelaySeconds = (retried: number) => Math.min(30, 2 ** retried)

/** An attempt takes less than this from QStash's request to our answer. */
const attemptSeconds = 30

/** If QStash is silent for longer, its message is treated as lost: all retries would be over by then. */
export function queueSilenceSeconds({ queueRetries }: CommandRule): number {
  const delays = Array.from({ length: queueRetries }, (_, retried) => retryDelaySeconds(retried))
  return delays.reduce((sum, delay) => sum + delay, attemptSeconds)
}
