// START and STOP of one machine.
import { useId, useLayoutEffect, useState } from 'hono/jsx/dom'
import type { Job, Machine, Preflight } from '../../client/api.ts'
import { startMachine, stops } from '../actions.ts'
import { text } from '../language.ts'
import { noteChange } from '../live.ts'
import { connection } from '../network.ts'
import { type Resource, useResource } from '../resource.ts'
import { mayOperate } from '../role.ts'
import { client } from '../session.ts'
import { useStore } from '../state.ts'
import { HoldToPress } from './hold-to-press.tsx'
import { JobProgress } from './job-progress.tsx'
import { Obstacles } from './obstacles.tsx'
import { Problem } from './problem.tsx'
import { StopButton, StopNote } from './stop-button.tsx'

type Props = { machine: Machine; openJob: Job | undefined; lastJob: Job | undefined; reload: () => void }

export function Operate({ machine, openJob, lastJob, reload }: Props) {
  const shown = openJob ?? lastJob
  return (
    <section class="panel operate" aria-labelledby="operate-title">
      <h2 id="operate-title">{text('operate')}</h2>
      {mayOperate(machine.my_role) ? (
        <>
          <div class="operate-stop">
            <StopButton machineId={machine.id} name={machine.name} isLarge />
            <div class="operate-note">
              <p class="hint">
                {text('stop_shortcut', { keys: 'Ctrl + .' })} · {text('stop_not_emergency')}
              </p>
              <StopNote machineId={machine.id} job={lastJob} />
            </div>
          </div>
          <Start machine={machine} reload={reload} />
        </>
      ) : (
        <p class="notice">{text(machine.my_role === null ? 'no_role' : 'viewer_only')}</p>
      )}
      {/* There before any job: a screen reader announces only what changes inside. */}
      {machine.my_role !== null && (
        <div class="operate-job" aria-live="polite">
          {shown ? <JobProgress job={shown} machine={machine} /> : <p class="hint">{text('no_history')}</p>}
        </div>
      )}
    </section>
  )
}

function Start({ machine, reload }: { machine: Machine; reload: () => void }) {
  const { id } = machine
  const [isClear, setClear] = useState(false)
  const [isSending, setSending] = useState(false)
  const [error, setError] = useState<unknown>(undefined)
  const preflight = useResource(`preflight-${id}`, () => client.machines.preflight(id, 'START'), id)
  const { isLost } = useStore(connection)
  const isStopping = useStore(stops).get(id)?.phase === 'sending'
  const why = useId()
  const may = preflight.value?.may === true && preflight.error === undefined && !isLost && !isStopping
  // Not `disabled`: that takes away the focus, and every check of the conditions may change it.
  const mayTick = may && !isSending
  // Whoever was at the machine meanwhile may not be far: the danger zone is checked again after every obstacle.
  useLayoutEffect(() => {
    if (!may) setClear(false)
  }, [may])
  const start = async () => {
    setClear(false) // the tick is for one START
    setSending(true)
    setError(undefined)
    try {
      await startMachine(id)
    } catch (problem) {
      setError(problem)
    }
    setSending(false)
    noteChange(id)
    reload()
  }
  return (
    <div class="operate-start">
      <label class={`check ${mayTick ? '' : 'is-disabled'}`}>
        <input
          type="checkbox"
          checked={isClear}
          aria-disabled={mayTick ? 'false' : 'true'}
          aria-describedby={why}
          onClick={(event: Event) => !mayTick && event.preventDefault()}
          onChange={(event: Event) => setClear((event.currentTarget as HTMLInputElement).checked)}
        />
        <span>{text('danger_zone_clear')}</span>
      </label>
      <HoldToPress
        label={isSending ? text('start_sending') : text('start_hold')}
        pressedLabel={text('start_holding')}
        isDisabled={!mayTick || !isClear}
        describedBy={why}
        onPressed={() => void start()}
      />
      <div id={why} class="operate-why">
        <Why preflight={preflight} isLost={isLost} isClear={isClear} />
      </div>
      {error !== undefined && <Problem error={error} />}
    </div>
  )
}

type WhyProps = { preflight: Resource<Preflight>; isLost: boolean; isClear: boolean }

function Why({ preflight, isLost, isClear }: WhyProps) {
  if (isLost) return <p class="hint">{text('start_offline')}</p>
  if (preflight.error !== undefined) return <p class="hint">{text('start_check_failed')}</p>
  if (!preflight.value) return <p class="hint">{text('start_checking')}</p>
  if (!preflight.value.may) return <Obstacles reasons={preflight.value.reasons} />
  return <p class="hint">{isClear ? '' : text('danger_zone_first')}</p>
}
