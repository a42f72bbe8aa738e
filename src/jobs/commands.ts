// The commands for machines, one row each. All differences between commands are defined here.
import type { Scope } from '../kernel/scope.ts'
import { type MachineStatus, machineStatuses } from '../machines/machine.ts'
import type { JobReason } from './job.ts'

export type CommandRule = {
  /** For the OpenAPI document. */
  description: string
  /** The scope with which a key may send the command. */
  scope: Scope
  /** The statuses of a machine in which the command is accepted. */
  acceptedIn: readonly MachineStatus[]
  /**
   * Whether, when the command is sent, the machine must still have one of these statuses, and the requester must still
   * be allowed to operate it.
   */
  isCheckedWhenSent: boolean
  /**
   * Whether a machine that reports must have done so recently and must accept remote commands, both when the command is
   * requested and when it is sent.
   */
  needsFreshReport: boolean
  /** Whether a hold on the machine prevents the command, and supersedes a job with it that has not been sent. */
  isHeld: boolean
  /**
   * The command supersedes open jobs whose command has the same or a lower precedence, and is then accepted in every
   * status. All other open jobs prevent it. No command may have a higher precedence than STOP.
   */
  precedence: number
  /** The reason of the jobs that the command supersedes. Null: it supersedes none, whatever its precedence. */
  supersededReason: JobReason | null
  /** Whether the Worker itself sends the command at once if QStash does not accept its message. */
  isSentWithoutQueue: boolean
  /** Whether a machine that fetches its commands gets this one although an attempt holds the lease. */
  ignoresLease: boolean
  /** The status of the machine when the controller reports success. */
  statusOnSuccess: MachineStatus
  /** The reported statuses that confirm that the machine has executed the command. */
  confirmedIn: readonly MachineStatus[]
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
    description:
      'Starts the machine. It is sent only before its `not_after`, and only if the machine is READY and has no hold.',
    scope: 'start',
    acceptedIn: ['READY'],
    isCheckedWhenSent: true,
    needsFreshReport: true,
    isHeld: true,
    precedence: 0,
    supersededReason: null,
    isSentWithoutQueue: false,
    ignoresLease: false,
    statusOnSuccess: 'RUNNING',
    confirmedIn: ['RUNNING'],
    maxAttempts: 4,
    expiresInSeconds: 60,
    queueRetries: 3,
    leasedRetrySeconds: null,
    label: 'tiebar-start',
  },
  STOP: {
    description:
      'Stops the machine, in every status. It supersedes every open job and is retried until its `not_after`.',
    scope: 'stop',
    acceptedIn: machineStatuses,
    isCheckedWhenSent: false,
    needsFreshReport: false,
    isHeld: false,
    precedence: 9,
    supersededReason: 'by_stop',
    isSentWithoutQueue: true,
    ignoresLease: true,
    statusOnSuccess: 'READY',
    confirmedIn: machineStatuses.filter((status) => status !== 'RUNNING'),
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

/** The scopes with which a key may send some command. */
export const commandScopes = [...new Set(commands.map((command) => commandRules[command].scope))] as [Scope, ...Scope[]] // as there is a command

/** The commands that a hold refuses. */
export const heldCommands: readonly Command[] = commands.filter((command) => commandRules[command].isHeld)

export function precedenceOf(command: Command): number {
  return commandRules[command].precedence
}

/** The commands whose open jobs a command supersedes. */
export function supersededBy(command: Command): Command[] {
  const { precedence, supersededReason } = commandRules[command]
  if (supersededReason === null) return []
  return commands.filter((other) => commandRules[other].precedence <= precedence)
}

/** The delay after the first, second, … attempt of a job, whatever message began it. The last one repeats. */
export const retryDelaysSeconds = [1, 2, 4, 8, 16, 30, 60] as const

/**
 * The same delays as an expression for QStash, in milliseconds: with its own delays, a machine could start 30 min late.
 * @param attempts how many attempts the job had when the message was published
 */
export function retryDelayExpression(attempts: number): string {
  const index = attempts === 0 ? 'retried' : `(retried + ${attempts})`
  return `1000 * min(pow(2, ${index}), 30 * min(2, max(1, ${index} - 4)))`
}

/** An attempt takes less than this from QStash's request to our answer. After this time without one, the message is lost. */
export const queueSilenceSeconds = 30
