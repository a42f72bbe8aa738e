// The controller of a machine: its address, whether it has confirmed the machine, and a check.
import type { Machine } from '../../client/api.ts'
import { text } from '../language.ts'
import { client } from '../session.ts'
import { ActionButton } from './action-button.tsx'
import { Age } from './age.tsx'
import { Field, Form } from './form.tsx'
import { Fact } from './machine-facts.tsx'

export function Controller({ machine, reload }: { machine: Machine; reload: () => void }) {
  const { id, controller_url, controller_confirmed_at } = machine
  const check = async () => {
    await client.machines.checkController(id)
    reload()
  }
  return (
    <section class="panel" aria-labelledby="controller-title">
      <h2 id="controller-title">{text('controller_title')}</h2>
      <dl class="facts">
        <Fact label={text('delivery')}>{text(`delivery_${machine.delivery}`)}</Fact>
        <Fact label={text('controller_confirmed')}>
          {controller_confirmed_at ? <Age at={controller_confirmed_at} /> : text('not_confirmed')}
        </Fact>
      </dl>
      {controller_url && <ActionButton label={text('check_now')} onAct={check} />}
      <Form
        label={text('controller_title')}
        submit={text('save')}
        onSubmit={async ({ url = '' }) => {
          await client.machines.change(id, { controller_url: url.trim() === '' ? null : url.trim() })
          reload()
        }}
      >
        <Field
          name="url"
          label={text('controller_url')}
          hint={text('controller_url_hint')}
          type="url"
          value={controller_url ?? ''}
          isOptional
        />
      </Form>
    </section>
  )
}
