// A gateway that reports for the demo machines behind NAT, and executes the commands in the answers. Each machine has a
// behaviour of its own, so that a developer sees what real machines do.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * `obeys`: does what it is told · `falls silent`: reports for a while, and then no more · `local`: takes no commands from afar ·
 * `runs by itself`: somebody starts and stops it at the machine · `lies`: says that it has started, and its reports say no.
 */
export type ReporterBehaviour = 'obeys' | 'falls silent' | 'local' | 'runs by itself' | 'lies'

export type ReportingMachine = { id: number; behaviour: ReporterBehaviour }
export type GatewayPlace = { siteId: number; secret: string; machines: ReportingMachine[] }
export type Gateway = { close(): Promise<void> }

const intervalSeconds = 5
const silentAfter = 3
/** How many reports the machine that runs by itself is in each status. */
const turnLength = 6

type State = ReportingMachine & { status: 'READY' | 'RUNNING'; cycles: number; outcome: object | undefined }
type Result = { machine_id: number; command: { job_id: string; command: 'START' | 'STOP' } | null }

/** Reports until it is closed. @param onError gets each report that was not accepted */
export function startGateway(api: string, place: GatewayPlace, onError: (text: string) => void): Gateway {
  const stop = new AbortController()
  const states = place.machines.map(
    (machine): State => ({ ...machine, status: 'READY', cycles: 0, outcome: undefined }),
  )
  const ended = keepReporting(api, place, states, stop.signal, onError)
  return {
    async close() {
      stop.abort()
      await ended
    },
  }
}

async function keepReporting(
  api: string,
  { siteId, secret }: GatewayPlace,
  states: State[],
  signal: AbortSignal,
  onError: (text: string) => void,
): Promise<void> {
  const bootId = randomUUID()
  for (let seq = 1; !signal.aborted; seq += 1) {
    let seconds = intervalSeconds
    try {
      const reporting = states.filter(({ behaviour }) => behaviour !== 'falls silent' || seq <= silentAfter)
      const reports = reporting.map((state) => reportOf(state, bootId, seq))
      const response = await fetch(`${api}/api/sites/${siteId}/reports`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ reports }),
        signal,
      })
      if (response.ok) {
        const answer = (await response.json()) as { report_again_in_seconds: number; results: Result[] }
        for (const { machine_id, command } of answer.results) {
          const state = states.find(({ id }) => id === machine_id)
          if (state) state.outcome = command ? execute(state, command) : undefined
        }
        seconds = states.some(({ outcome }) => outcome) ? 0 : answer.report_again_in_seconds
      } else onError(`the gateway of the demo machines was answered ${response.status}: ${await response.text()}`)
    } catch (error) {
      if (!signal.aborted) onError(`the gateway of the demo machines: ${error}`)
    }
    await delay(seconds * 1_000, undefined, { signal }).catch(() => {}) // closed
  }
}

function reportOf(state: State, boot_id: string, seq: number) {
  const { id: machine_id, behaviour, outcome } = state
  if (behaviour === 'runs by itself') state.status = Math.floor(seq / turnLength) % 2 === 0 ? 'READY' : 'RUNNING'
  if (state.status === 'RUNNING') state.cycles += 1
  return {
    machine_id,
    boot_id,
    seq,
    status: state.status,
    mode: behaviour === 'local' ? 'manual' : 'automatic',
    remote_enabled: behaviour !== 'local',
    cycles: state.cycles,
    interval_seconds: intervalSeconds,
    ...(outcome && { outcome }),
  }
}

/** @returns the outcome for the next report */
function execute(state: State, { job_id, command }: NonNullable<Result['command']>): object {
  if (state.behaviour !== 'lies') state.status = command === 'START' ? 'RUNNING' : 'READY'
  return { job_id, result: 'SUCCESS' }
}
