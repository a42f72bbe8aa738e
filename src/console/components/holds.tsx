// Holds: "somebody is at the machine". Only the account that placed one removes it. A manager may override it.
import type { Hold, Machine } from '../../client/api.ts'
import { text } from '../language.ts'
import { noteChange } from '../live.ts'
import { type Resource, useResource } from '../resource.ts'
import { mayManage, mayOperate } from '../role.ts'
import { client, session } from '../session.ts'
import { useStore } from '../state.ts'
import { ActionButton } from './action-button.tsx'
import { Age } from './age.tsx'
import { Field, Form } from './form.tsx'
import { Person } from './person.tsx'
import { ResourceRows } from './resource-rows.tsx'
import { Reveal } from './reveal.tsx'

const maxHolds = 100

export type HoldsResource = Resource<{ items: Hold[] }>

/** The holds of a machine; none without a role on it, because nobody may read them then. */
export function useHolds(id: number, role: Machine['my_role']): HoldsResource {
  const read = async () => {
    return role === null ? { items: [] } : client.ask('listHolds', { path: { id }, query: { limit: maxHolds } })
  }
  return useResource(`holds-${id}-${role === null ? 'none' : 'read'}`, read, id)
}

export function Holds({ machine, holds }: { machine: Machine; holds: HoldsResource }) {
  const { id } = machine
  const changed = () => {
    noteChange(id)
    holds.reload()
  }
  return (
    <section class="panel holds" aria-labelledby="holds-title">
      <h2 id="holds-title">{text('holds_title')}</h2>
      <p class="hint">{text('holds_lead')}</p>
      <ResourceRows
        resource={holds}
        items={holds.value?.items}
        empty={text('no_holds')}
        row={(hold) => <HoldRow key={hold.id} hold={hold} machine={machine} onChanged={changed} />}
      />
      {mayOperate(machine.my_role) && (
        <Form
          label={text('place_hold')}
          submit={text('place_hold')}
          onSubmit={async ({ reason = '' }, form) => {
            await client.machines.holds.place(id, reason)
            form.reset()
            changed()
          }}
        >
          <Field name="reason" label={text('hold_reason')} hint={text('hold_reason_hint')} />
        </Form>
      )}
    </section>
  )
}

type RowProps = { hold: Hold; machine: Machine; onChanged: () => void }

function HoldRow({ hold, machine, onChanged }: RowProps) {
  const current = useStore(session)
  const isMine = current.state === 'signedIn' && current.user.id === hold.placed_by
  const remove = async () => {
    await client.machines.holds.remove(machine.id, hold.id)
    onChanged()
  }
  return (
    <li class="row">
      <div class="row-main">
        <strong>{hold.reason}</strong>
        <span class="row-meta">
          <Person id={hold.placed_by} /> · <Age at={hold.placed_at} />
        </span>
        {hold.override && (
          <span class="row-meta">
            {text('overridden')} · <Person id={hold.override.by} /> · {hold.override.reason}
          </span>
        )}
      </div>
      {isMine && <ActionButton label={text('remove_hold')} onAct={remove} />}
      {!isMine && !hold.override && mayManage(machine.my_role) && (
        <Override hold={hold} machine={machine} onChanged={onChanged} />
      )}
    </li>
  )
}

function Override({ hold, machine, onChanged }: RowProps) {
  return (
    <Reveal
      label={text('override_hold')}
      question={text('override_hold')}
      isDanger
      content={(close) => (
        <Form
          label={text('override_hold')}
          submit={text('override_hold')}
          isDanger
          onClose={close}
          onSubmit={async ({ reason = '' }) => {
            await client.machines.holds.override(machine.id, hold.id, reason)
            onChanged()
          }}
        >
          <label class="check">
            <input type="checkbox" required />
            <span>{text('absence_verified')}</span>
          </label>
          <label class="check">
            <input type="checkbox" required />
            <span>{text('contact_tried')}</span>
          </label>
          <Field name="reason" label={text('override_reason')} />
        </Form>
      )}
    />
  )
}
