/** Sign-in as the root user or as an IAM user. What was wrong is never said. */
import {
  Alert,
  Box,
  Button,
  Container,
  Form,
  FormField,
  Header,
  Input,
  RadioGroup,
  SegmentedControl,
  SpaceBetween,
} from '@cloudscape-design/components'
import { useState } from 'react'
import { signIn, type Facts, type Refusal, type SignIn as Asked } from '../api/session'
import { t, type Language } from '../i18n/text'

type Props = { ended: boolean; onSignedIn(facts: Facts): void; language: Language; onLanguage(language: Language): void }

function wordsOf({ error, seconds = 0, message }: Refusal): string {
  if (error === 'mfa') return t('signIn.needMfa')
  if (error === 'change') return t('signIn.needNew')
  if (error === 'password') return message ?? t('signIn.refused')
  return error === 'locked' ? t('signIn.locked', { seconds }) : t('signIn.refused')
}

export function SignIn({ ended, onSignedIn, language, onLanguage }: Props) {
  const [asked, setAsked] = useState<Asked>({ kind: 'root', account: '', user: '', password: '', mfa: '', newPassword: '' })
  const [wantsMfa, setWantsMfa] = useState(false)
  const [wantsNew, setWantsNew] = useState(false)
  const [again, setAgain] = useState('')
  const [refusal, setRefusal] = useState<string | undefined>(ended ? t('signIn.ended') : undefined)
  const [busy, setBusy] = useState(false)
  const set = (part: Partial<Asked>): void => setAsked({ ...asked, ...part })

  async function submit(): Promise<void> {
    if (wantsNew && asked.newPassword !== again) return setRefusal(t('signIn.unlike'))
    setBusy(true)
    try {
      const answer = await signIn(asked)
      if (!('error' in answer)) return onSignedIn(answer)
      if (answer.error === 'mfa') setWantsMfa(true)
      if (answer.error === 'change') setWantsNew(true)
      setRefusal(wordsOf(answer))
    } catch {
      setRefusal(t('app.lost'))
    } finally {
      setBusy(false)
    }
  }

  const user = asked.kind === 'user'
  return (
    <main style={{ maxWidth: '30rem', margin: '4rem auto', padding: '0 1rem' }}>
      <SpaceBetween size="l">
        <SpaceBetween size="m" direction="horizontal" alignItems="center">
          <img src="/icon.svg" alt="" width="40" height="40" />
          <Box variant="h1">{t('app.name')}</Box>
        </SpaceBetween>
        <form
          onSubmit={event => {
            event.preventDefault()
            void submit()
          }}
        >
          <Form
            actions={
              <Button variant="primary" loading={busy}>
                {t('signIn.submit')}
              </Button>
            }
          >
            <Container header={<Header variant="h2">{t('signIn.title')}</Header>}>
              <SpaceBetween size="l">
                {refusal && <Alert type={wantsMfa || wantsNew ? 'info' : 'error'}>{refusal}</Alert>}
                <RadioGroup
                  value={asked.kind}
                  ariaLabel={t('signIn.title')}
                  onChange={({ detail }) => set({ kind: detail.value as Asked['kind'] })}
                  items={[
                    { value: 'root', label: t('signIn.root'), description: t('signIn.rootHint') },
                    { value: 'user', label: t('signIn.iam'), description: t('signIn.iamHint') },
                  ]}
                />
                {user && (
                  <FormField label={t('signIn.account')}>
                    <Input value={asked.account} autoComplete="organization" onChange={({ detail }) => set({ account: detail.value })} />
                  </FormField>
                )}
                {user && (
                  <FormField label={t('signIn.user')}>
                    <Input value={asked.user} autoComplete="username" onChange={({ detail }) => set({ user: detail.value })} />
                  </FormField>
                )}
                <FormField label={t('signIn.password')} description={user ? undefined : <Commands text={t('signIn.passwordHint')} />}>
                  <Input
                    type="password"
                    autoComplete="current-password"
                    value={asked.password}
                    onChange={({ detail }) => set({ password: detail.value })}
                  />
                </FormField>
                {wantsNew && (
                  <FormField label={t('signIn.newPassword')}>
                    <Input
                      type="password"
                      autoFocus
                      autoComplete="new-password"
                      value={asked.newPassword}
                      onChange={({ detail }) => set({ newPassword: detail.value })}
                    />
                  </FormField>
                )}
                {wantsNew && (
                  <FormField label={t('signIn.again')}>
                    <Input type="password" autoComplete="new-password" value={again} onChange={({ detail }) => setAgain(detail.value)} />
                  </FormField>
                )}
                {wantsMfa && (
                  <FormField label={t('signIn.mfa')}>
                    <Input
                      value={asked.mfa}
                      autoFocus
                      inputMode="numeric"
                      autoComplete="one-time-code"
                      onChange={({ detail }) => set({ mfa: detail.value })}
                    />
                  </FormField>
                )}
              </SpaceBetween>
            </Container>
          </Form>
        </form>
        <SegmentedControl
          label={t('app.language')}
          selectedId={language}
          onChange={({ detail }) => onLanguage(detail.selectedId as Language)}
          options={[
            { id: 'en', text: 'English' },
            { id: 'fr', text: 'Français' },
          ]}
        />
      </SpaceBetween>
    </main>
  )
}

/** What stands between backquotes is typed as it is. */
const Commands = ({ text }: { text: string }) =>
  text.split('`').map((part, i) => (i % 2 === 1 ? <Box key={i} variant="code" display="inline" fontSize="body-s" color="inherit">{part}</Box> : part))
