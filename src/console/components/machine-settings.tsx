// What a manager can do with a machine: change its name, location and site, set its status by hand, and delete it.
import type { Machine, MachinePatch, MachineStatus } from '../../client/api.ts'
import { toHash } from '../address.ts'
import { tick } from '../clock.ts'
import { text } from '../language.ts'
import { navigate } from '../router.ts'
import { client } from '../session.ts'
import { toSiteOptions, useSites } from '../sites.ts'
import { useSelected } from '../state.ts'
import { statuses } from '../status.ts'
import { isStale } from '../time.ts'
import { Confirm } from './confirm.tsx'
import { Field, type Fields, Form, Select } from './form.tsx'
import { Problem } from './problem.tsx'
import { Reveal } from './reveal.tsx'

type Props = { machine: Machine; reload: () => void }

export function MachineSettings({ machine, reload }: Props) {
  return (
    <section class="panel" aria-labelledby="settings-title">
      <h2 id="settings-title">{text('machine_settings')}</h2>
      <Details machine={machine} reload={reload} />
      <hr />
      <div class="row-actions">
        <div class="is-whole">
          <StatusByHand machine={machine} reload={reload} />
        </div>
        <Confirm
          label={text('delete_machine')}
          question={text('delete_machine_named', { name: machine.name })}
          detail={text('delete_machine_detail')}
          action={text('delete_machine')}
          onAct={async () => {
            await client.machines.delete(machine.id)
            navigate(toHash('board'))
          }}
        />
      </div>
    </section>
  )
}

/** Only what differs: a colleague may change something else meanwhile. */
function findChanges({ name = '', location = '', site = '' }: Fields, machine: Machine): MachinePatch {
  const siteId = site === '' ? null : Number(site)
  return {
    ...(name !== machine.name && { name }),
    ...(location !== machine.location && { location }),
    ...(siteId !== machine.site_id && { site_id: siteId }),
  }
}

function Details({ machine, reload }: Props) {
  const { value: sites, error, reload: reloadSites } = useSites()
  // Until they are read, only the current site can be chosen, so that the form has its height and saves no other.
  const current = {
    value: String(machine.site_id ?? ''),
    label: text(machine.site_id === null ? 'no_site' : 'loading'),
  }
  return (
    <Form
      label={text('machine_settings')}
      submit={text('save')}
      saysSaved
      onSubmit={async (fields) => {
        await client.machines.change(machine.id, findChanges(fields, machine))
        reload()
      }}
    >
      <Field name="name" label={text('name')} value={machine.name} />
      <Field name="location" label={text('location')} value={machine.location} />
      <Select
        name="site"
        label={text('filter_site')}
        hint={text('site_hint')}
        options={sites ? toSiteOptions(sites.items, machine.site_id) : [current]}
        value={current.value}
      />
      {!sites && error !== undefined && <Problem error={error} onRetry={reloadSites} />}
    </Form>
  )
}

/** The API refuses this while reports arrive, because the report of a machine has priority. */
function StatusByHand({ machine, reload }: Props) {
  const isReporting = useSelected(tick, (now) => machine.reported !== null && !isStale(machine.reported, now))
  if (isReporting) return <p class="hint">{text('status_reported')}</p>
  const options = statuses.map((status) => ({ value: status, label: text(`status_${status}`) }))
  return (
    <Reveal
      label={text('status_by_hand')}
      question={text('status_by_hand')}
      detail={text('status_by_hand_detail')}
      content={(close) => (
        <Form
          label={text('status_by_hand')}
          submit={text('set_status')}
          onClose={close}
          onSubmit={async ({ status = '' }) => {
            await client.machines.change(machine.id, { status: status as MachineStatus }) // the options are statuses
            close()
            reload()
          }}
        >
          <Select name="status" label={text('filter_status')} options={options} value={machine.status} />
        </Form>
      )}
    />
  )
}
