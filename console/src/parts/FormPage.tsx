/** A page, or a dialog, that makes calls out of a form that is data. */
import { Alert, Button, Container, Form as Frame, Header, SpaceBetween } from '@cloudscape-design/components'
import { useEffect, useState, type ReactNode } from 'react'
import { send, wordsOf, type Service } from '../api/call'
import { t, type Key } from '../i18n/text'
import { callsOfForm, type Form, type Item, type Values } from '../resources/kinds'
import { flash } from '../shell/flash'
import { go, usePath } from '../shell/router'
import { Code } from './Code'
import { Dialog } from './Dialog'
import { Fields, missingIn, startOf } from './Fields'

type Of = { service: Service; form: Form; item?: Item; given?: Values }
function useForm({ service, form, item, given }: Of, done: (answer: any) => void) {
  const [values, setValues] = useState<Values>(() => ({ ...startOf(form.fields), ...given }))
  // How things are now must be known before anything is changed: what was not read yet would be overwritten.
  const [ready, setReady] = useState(!item || !form.start)
  useEffect(() => {
    if (!item || !form.start) return
    Promise.resolve(form.start(item)).then(
      found => {
        setValues(before => ({ ...before, ...found }))
        setReady(true)
      },
      (cause: unknown) => setError(wordsOf(cause)),
    )
  }, [])
  const [missing, setMissing] = useState<string[]>([])
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const shown = callsOfForm(service, form, values, item)
  async function submit(): Promise<void> {
    const lacking = missingIn(form.fields, values)
    setMissing(lacking)
    if (lacking.length > 0 || form.fields.some(field => field.wrong?.(values[field.name]))) return
    setBusy(true)
    setError(undefined)
    try {
      let answer: any
      for (const one of shown) {
        answer = await send(one)
        const problem = form.problem?.(answer)
        if (problem) return setError(problem)
      }
      form.done?.(answer, values)
      done(answer)
    } catch (cause) {
      setError(wordsOf(cause))
    } finally {
      setBusy(false)
    }
  }
  const body = (
    <SpaceBetween size="l">
      {error && (
        <Alert type="error" header={t('error.title')}>
          {error}
        </Alert>
      )}
      <Fields fields={form.fields} values={values} missing={missing} of={item} onChange={setValues} />
      <Code calls={shown} />
    </SpaceBetween>
  )
  return { body, busy, submit, idle: !ready || shown.length === 0 }
}

/** What a link to a form has already said, by the names of its fields that are texts or choices of one. */
const givenBy = (form: Form, query: string | undefined): Values => {
  const asked = new URLSearchParams(query)
  const named = form.fields.filter(({ name, kind }) => asked.has(name) && kind !== 'bool' && kind !== 'many')
  return Object.fromEntries(named.map(({ name }) => [name, asked.get(name)!]))
}

type PageProps = { service: Service; form: Form; title: Key; back: string }

export function FormPage({ service, form, title, back }: PageProps) {
  const given = givenBy(form, usePath().split('?')[1])
  const { body, busy, submit } = useForm({ service, form, given }, answer => {
    flash({ type: 'success', content: t('done.created', { id: form.id?.(answer) ?? t(title) }) })
    go(back)
  })
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        void submit()
      }}
    >
      <Frame
        header={<Header variant="h1">{t(title)}</Header>}
        actions={
          <SpaceBetween size="xs" direction="horizontal">
            <Button formAction="none" variant="link" onClick={() => go(back)}>
              {t('do.cancel')}
            </Button>
            <Button variant="primary" loading={busy}>
              {t(title)}
            </Button>
          </SpaceBetween>
        }
      >
        <Container>{body}</Container>
      </Frame>
    </form>
  )
}

type DialogProps = {
  service: Service
  form: Form
  title: Key
  item?: Item
  id: string
  /** Above the fields: what they are about. */
  above?: ReactNode
  onClose(): void
  /** Once all was asked; it does not close by itself. */
  onDone(): void
}

export function FormDialog({ service, form, title, item, id, above, onClose, onDone }: DialogProps) {
  const { body, busy, submit, idle } = useForm({ service, form, item }, answer => {
    // What is about nothing that was there has made something.
    const made = id === '' ? form.id?.(answer) : undefined
    flash({ type: 'success', content: made ? t('done.created', { id: made }) : t('done.requested', { action: t(title), id }) })
    onDone()
  })
  return (
    <Dialog large title={t(title)} submit={t(title)} busy={busy} disabled={idle} onSubmit={() => void submit()} onClose={onClose}>
      <SpaceBetween size="l">
        {above}
        {body}
      </SpaceBetween>
    </Dialog>
  )
}
