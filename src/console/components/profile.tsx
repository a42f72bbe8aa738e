// The forms for the user's own account.
import type { Me } from '../../client/api.ts'
import { text } from '../language.ts'
import { client } from '../session.ts'
import { Field, Form, NewPasswordField, PasswordField } from './form.tsx'

export function Profile({ me, onSaved }: { me: Me; onSaved: () => void }) {
  return (
    <section class="panel" aria-labelledby="profile-title">
      <h2 id="profile-title">{text('profile_title')}</h2>
      <Form
        label={text('profile_title')}
        submit={text('save')}
        saysSaved
        onSubmit={async ({ email = '', first_name = '', last_name = '', current_password = '' }) => {
          const isNewEmail = email !== me.email
          await client.me.change({ first_name, last_name, ...(isNewEmail && { email, current_password }) })
          onSaved()
        }}
      >
        <div class="field-row">
          <Field
            name="last_name"
            label={text('last_name')}
            value={me.last_name}
            isOptional
            autocomplete="family-name"
          />
          <Field
            name="first_name"
            label={text('first_name')}
            value={me.first_name}
            isOptional
            autocomplete="given-name"
          />
        </div>
        <Field name="email" label={text('email')} type="email" value={me.email} autocomplete="email" />
        <Field
          name="current_password"
          label={text('current_password')}
          hint={text('current_password_hint')}
          type="password"
          autocomplete="current-password"
          isOptional
        />
      </Form>
    </section>
  )
}

export function Password() {
  return (
    <section class="panel" aria-labelledby="password-title">
      <h2 id="password-title">{text('password_title')}</h2>
      <p class="hint">{text('password_lead')}</p>
      <Form
        label={text('password_title')}
        submit={text('reset')}
        saysSaved
        onSubmit={async ({ current_password = '', new_password = '' }, form) => {
          await client.me.changePassword({ current_password, new_password })
          form.reset()
        }}
      >
        <PasswordField />
        <NewPasswordField name="new_password" label={text('new_password')} />
      </Form>
    </section>
  )
}
