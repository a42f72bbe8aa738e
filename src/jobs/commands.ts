// The commands that a machine takes, one row each. What differs between commands stands here and nowhere else.
import type { MachineStatus } from '../machines/machine.ts'

export type CommandRule = {
  /** For the OpenAPI document. */
  description: string
  /** The statuses of a machine in which the command is accepted. */
  admittedIn: readonly MachineStatus[]
  /** Whether the machine must still have one of these statuses when the command is sent. */
  isCheckedWhenSent: boolean
  /** Whether the command supersedes an open job with another command, and is then accepted in every status. */
  supersedes: boolean
  /** The status of the machine when the controller reports success. */
  statusOnSuccess: MachineStatus
  /** How often the command is sent at most. Null: until its `not_after`. */
  maxAttempts: number | null
  /** How long after the request the command may be sent, unless the request says otherwise. */
  expiresInSeconds: number
  /** How often QStash repeats a delivery by itself before it reports the failure. */
  queueRetries: number
  /** When QStash delivers again while another attempt has the lease. Null: when the lease ends. */
  leasedRetrySeconds: number | null
  /** The label of the messages at QStash, for its console. */
  label: string
}

const rules = {
  START: {
    description: 'Starts the machine. It is sent only while it is fresh and the machine is READY.',
    admittedIn: ['READY'],
    isCheckedWhenSent: true,
    supersedes: false,
    statusOnSuccess: 'RUNNING',
    maxAttempts: 4,
    expiresInSeconds: 60,
    queueRetries: 3,
    leasedRetrySeconds: null,
    label: 'tiebar-start',
  },
  STOP: {
    description: 'Stops the machine. It supersedes an open START and is repeated until its time is over.',
    admittedIn: ['RUNNING', 'PENDING', 'ERROR'],
    isCheckedWhenSent: false,
    supersedes: true,
    statusOnSuccess: 'READY',
    maxAttempts: null,
    expiresInSeconds: 600,
    queueRetries: 5,
    leasedRetrySeconds: 2, // the attempt may end long before its lease does
    label: 'tiebar-stop',
  },
} as const satisfies Record<string, CommandRule>

export type Command = keyof typeof rules
export const commands = Object.keys(rules) as [Command, ...Command[]] // Object.keys forgets the key type
export const commandRules: Readonly<Record<Command, CommandRule>> = rules

/** QStash's delays between retries, in milliseconds: 1, 2, 4, 8, 16, 30 s. Its own would start a machine 30 min late. */
export const retryDelayExpression = 'min(30000, 1000 * pow(2, retried))'
const retryDelaySeconds = (retried: number) => Math.min(30, 2 ** retried)

/** More than an attempt takes from QStash's request to our answer. */
const attemptSeconds = 30

/** After this time without news from QStash, the message is taken for lost: all retries would be over. */
export function queueSilenceSeconds({ queueRetries }: CommandRule): number {
  const delays = Array.from({ length: queueRetries }, (_, retried) => retryDelaySeconds(retried))
  return delays.reduce((sum, delay) => sum + delay, attemptSeconds)
}
