// The data of the user: its export to a file, and the deletion of the account.
import { text } from '../language.ts'
import { client, deleteAccount } from '../session.ts'
import { ActionButton } from './action-button.tsx'
import { Form, PasswordField } from './form.tsx'
import { Reveal } from './reveal.tsx'

const fileName = 'tiebar-export.json'

export function PersonalData() {
  return (
    <section class="panel" aria-labelledby="my-data-title">
      <h2 id="my-data-title">{text('my_data_title')}</h2>
      <p class="hint">{text('export_lead')}</p>
      <div class="form-actions">
        <ActionButton label={text('export_data')} onAct={downloadExport} />
      </div>
      <hr />
      <Reveal
        label={text('delete_account')}
        question={text('delete_account_question')}
        detail={text('delete_account_detail')}
        isDanger
        content={(close) => (
          <>
            <p>{text('delete_account_first')}</p>
            <Form
              label={text('delete_account')}
              submit={text('delete_account')}
              isDanger
              onClose={close}
              onSubmit={({ current_password = '' }) => deleteAccount(current_password)}
            >
              <PasswordField />
            </Form>
          </>
        )}
      />
    </section>
  )
}

/** The request needs the token in a header, so a plain link cannot do it. */
async function downloadExport(): Promise<void> {
  const content = JSON.stringify(await client.ask('exportMe', {}), undefined, 2)
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([content], { type: 'application/json' }))
  link.download = fileName
  link.click()
  URL.revokeObjectURL(link.href)
}
