/** A page, or a dialog, that makes one call out of a form that is data. */
import { Alert, Button, Container, Form as Frame, Header, SpaceBetween } from '@cloudscape-design/components'
import { useEffect, useState } from 'react'
import { send, wordsOf, type Service } from '../api/call'
import { t, type Key } from '../i18n/text'
import type { Form, Item, Values } from '../resources/kinds'
import { flash } from '../shell/flash'
import { go } from '../shell/router'
import { Code } from './Code'
import { Dialog } from './Dialog'
import { Fields, missingIn, startOf } from './Fields'

function useForm(service: Service, form: Form, item: Item | undefined, done: (answer: any) => void) {
  const [values, setValues] = useState<Values>(() => startOf(form.fields))
  useEffect(() => {
    if (!item || !form.start) return
    Promise.resolve(form.start(item)).then(
      found => setValues(before => ({ ...before, ...found })),
      (cause: unknown) => setError(wordsOf(cause)),
    )
  }, [])
  const [missing, setMissing] = useState<string[]>([])
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const shown = { service, operation: form.operation, input: form.input(values, item) }
  async function submit(): Promise<void> {
    const lacking = missingIn(form.fields, values)
    setMissing(lacking)
    if (lacking.length > 0) return
    setBusy(true)
    setError(undefined)
    try {
      const answer = await send(shown)
      const problem = form.problem?.(answer)
      if (problem) return setError(problem)
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
      <Fields fields={form.fields} values={values} missing={missing} onChange={setValues} />
      <Code calls={[shown]} />
    </SpaceBetween>
  )
  return { body, busy, submit }
}

type PageProps = { service: Service; form: Form; title: Key; back: string }

export function FormPage({ service, form, title, back }: PageProps) {
  const { body, busy, submit } = useForm(service, form, undefined, answer => {
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

type DialogProps = { service: Service; form: Form; title: Key; item: Item; id: string; onClose(): void; onDone?(): void }

export function FormDialog({ service, form, title, item, id, onClose, onDone }: DialogProps) {
  const { body, busy, submit } = useForm(service, form, item, () => {
    flash({ type: 'success', content: t('done.requested', { action: t(title), id }) })
    onDone?.()
    onClose()
  })
  return (
    <Dialog large title={t(title)} submit={t(title)} busy={busy} onSubmit={() => void submit()} onClose={onClose}>
      {body}
    </Dialog>
  )
}
