// Sign in, sign up, and set a new password with a token from staff.
import { useState } from 'hono/jsx/dom'
import { toHash } from '../address.ts'
import { Field, Form, NewPasswordField } from '../components/form.tsx'
import { Logo } from '../components/frame.tsx'
import { Screen } from '../components/screen.tsx'
import { text } from '../language.ts'
import { navigate } from '../router.ts'
import { client, isSignUpClosed, signIn, signUp } from '../session.ts'
import { useStore } from '../state.ts'
import type { TextKey } from '../texts.ts'

export function SignInScreen({ notice }: { notice?: TextKey | undefined }) {
  const isClosed = useStore(isSignUpClosed)
  return (
    <div class="gate">
      <Logo />
      <Screen title={text('sign_in_title')} lead={text('sign_in_lead')}>
        {notice && (
          <p class="notice" role="status">
            {text(notice)}
          </p>
        )}
        <Form
          label={text('sign_in_title')}
          submit={text('sign_in')}
          busy={text('signing_in')}
          onSubmit={({ username = '', password = '' }) => signIn({ username, password })}
        >
          <Field name="username" label={text('username')} autocomplete="username" />
          <Field name="password" label={text('password')} type="password" autocomplete="current-password" />
        </Form>
        <p class="gate-links">
          {!isClosed && <a href={toHash('signUp')}>{text('to_sign_up')}</a>}
          <a href={toHash('reset')}>{text('to_reset')}</a>
        </p>
      </Screen>
    </div>
  )
}

export function SignUpScreen() {
  const isClosed = useStore(isSignUpClosed)
  return (
    <div class="gate">
      <Logo />
      <Screen title={text('sign_up_title')}>
        {isClosed ? (
          <p class="notice" role="alert">
            {text('problem_sign_up_closed')}
          </p>
        ) : (
          <SignUpForm />
        )}
        <p class="gate-links">
          <a href={toHash('board')}>{text('to_sign_in')}</a>
        </p>
      </Screen>
    </div>
  )
}

function SignUpForm() {
  return (
    <Form
      label={text('sign_up_title')}
      submit={text('sign_up')}
      onSubmit={async ({ username = '', password = '', email = '', first_name = '', last_name = '' }) => {
        await signUp({ username, password, email, first_name, last_name })
        navigate(toHash('board'))
      }}
    >
      <Field name="username" label={text('username')} autocomplete="username" />
      <Field name="email" label={text('email')} type="email" autocomplete="email" />
      <div class="field-row">
        <Field name="last_name" label={text('last_name')} autocomplete="family-name" isOptional />
        <Field name="first_name" label={text('first_name')} autocomplete="given-name" isOptional />
      </div>
      <NewPasswordField name="password" label={text('password')} />
    </Form>
  )
}

export function ResetScreen({ token }: { token: string | undefined }) {
  const [isDone, setDone] = useState(false)
  return (
    <div class="gate">
      <Logo />
      <Screen title={text('reset_title')} lead={text('reset_lead')}>
        {isDone ? (
          <p class="notice" role="status">
            {text('reset_done')}
          </p>
        ) : (
          <Form
            label={text('reset_title')}
            submit={text('reset')}
            onSubmit={async ({ reset_token = '', new_password = '' }) => {
              await client.ask('resetPassword', { body: { reset_token, new_password } })
              setDone(true)
            }}
          >
            <Field name="reset_token" label={text('reset_token')} {...(token !== undefined && { value: token })} />
            <NewPasswordField name="new_password" label={text('new_password')} />
          </Form>
        )}
        <p class="gate-links">
          <a href={toHash('board')}>{text('to_sign_in')}</a>
        </p>
      </Screen>
    </div>
  )
}
