// A form that sends what was filled in, shows that it is busy, and what went wrong.
import { useId, useState } from 'hono/jsx/dom'
import { text } from '../language.ts'
import { useAction } from '../use-action.ts'
import { Problem } from './problem.tsx'
import { CancelButton } from './reveal.tsx'

export type Fields = Record<string, string>

type FormProps = {
  label: string
  submit: string
  /** Instead of `submit` while it is sent. */
  busy?: string
  onSubmit: (fields: Fields, form: HTMLFormElement) => Promise<unknown>
  isDanger?: boolean
  /** Says so when it was sent, because nothing else on the page does. */
  saysSaved?: boolean
  /** Closes the form without sending it. */
  onClose?: () => void
  children?: unknown
}

export function Form({
  label,
  submit,
  busy,
  onSubmit,
  isDanger = false,
  saysSaved = false,
  onClose,
  children,
}: FormProps) {
  const { isBusy, error, run } = useAction()
  const [isSaved, setSaved] = useState(false)
  const send = async (event: Event) => {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement // the listener is on the form
    if (isBusy) return
    setSaved(false)
    const isDone = await run(() => onSubmit(readFields(form), form))
    if (isDone) setSaved(saysSaved)
  }
  return (
    <form class="form" aria-label={label} onSubmit={send}>
      {children}
      {error !== undefined && <Problem error={error} />}
      <div class="form-actions">
        <button
          type="submit"
          class={`button ${isDanger ? 'is-danger is-filled' : 'is-primary'}`}
          aria-disabled={isBusy ? 'true' : 'false'}
        >
          {isBusy ? (busy ?? submit) : submit}
        </button>
        {onClose && <CancelButton onClose={onClose} />}
        {saysSaved && (
          <p class="saved" role="status">
            {isSaved ? text('saved') : ''}
          </p>
        )}
      </div>
    </form>
  )
}

/** Texts only: the console uploads no files. */
function readFields(form: HTMLFormElement): Fields {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]))
}

type FieldProps = {
  name: string
  label: string
  hint?: string
  type?: string
  value?: string
  autocomplete?: string
  isOptional?: boolean
  minLength?: number
  maxLength?: number
  /** Of a date. */
  min?: string
}

export function Field({ name, label, hint, type = 'text', value, isOptional = false, ...rest }: FieldProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        class="input"
        name={name}
        type={type}
        required={!isOptional}
        autocomplete={rest.autocomplete ?? 'off'}
        autocapitalize="none"
        {...(value !== undefined && { value })}
        {...(rest.minLength && { minlength: rest.minLength })}
        {...(rest.maxLength && { maxlength: rest.maxLength })}
        {...(rest.min && { min: rest.min })}
        {...(hint && { 'aria-describedby': `${id}-hint` })}
      />
      {hint && <Hint id={id} text={hint} />}
    </div>
  )
}

function Hint({ id, text }: { id: string; text: string }) {
  return (
    <p class="hint" id={`${id}-hint`}>
      {text}
    </p>
  )
}

/** The password of the user, for changes that nobody may make with a stolen token alone. */
export function PasswordField({ hint }: Pick<FieldProps, 'hint'>) {
  return (
    <Field
      name="current_password"
      label={text('current_password')}
      type="password"
      autocomplete="current-password"
      {...(hint && { hint })}
    />
  )
}

export function NewPasswordField({ name, label }: Pick<FieldProps, 'name' | 'label'>) {
  return (
    <Field
      name={name}
      label={label}
      type="password"
      hint={text('password_rule')}
      minLength={10}
      autocomplete="new-password"
    />
  )
}

export type Option = { value: string; label: string }

type SelectProps = {
  name: string
  label: string
  hint?: string
  options: Option[]
  value?: string
  onPick?: (value: string) => void
}

/** No `value` on the element itself: Hono would set it at every rendering, and replace the choice of the user. */
export function Select({ name, label, hint, options, value = '', onPick }: SelectProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        class="input"
        name={name}
        {...(hint && { 'aria-describedby': `${id}-hint` })}
        onChange={(event: Event) => onPick?.((event.currentTarget as HTMLSelectElement).value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
      {hint && <Hint id={id} text={hint} />}
    </div>
  )
}
