/** Four ways into an instance. */
import { instances as from, isIn } from '../../../src/service/ec2/states'
import {
  Alert,
  Box,
  Button,
  type ButtonProps,
  Container,
  ContentLayout,
  CopyToClipboard,
  FormField,
  Header,
  Input,
  SpaceBetween,
  Spinner,
  Tabs,
} from '@cloudscape-design/components'
import { lazy, Suspense, useRef, useState } from 'react'
import { call, wordsOf } from '../api/call'
import { useAnswer, useInstances } from '../api/use'
import { t } from '../i18n/text'
import { Code } from '../parts/Code'
import type { Item } from '../resources/kinds'
import { facts } from '../shell/facts'
import { flash } from '../shell/flash'
import { stay } from '../shell/router'

const Terminal = lazy(() => import('../parts/Terminal'))

/** Whom an image lets in: EC2 User Guide, "Manage system users"; the images of other makers keep their makers' users. */
const USERS: [RegExp, string][] = [
  [/^debian-\d+-ec2$/, 'ec2-user'],
  [/^debian/, 'admin'],
  [/^ubuntu/, 'ubuntu'],
  [/^fedora/, 'fedora'],
  [/^rocky/, 'rocky'],
]
export const userOf = (image: string): string => USERS.find(([pattern]) => pattern.test(image))?.[1] ?? 'ec2-user'

export default function Connect({ id, kind }: { id: string; kind: string }) {
  const instances = useInstances({ InstanceIds: [id] })
  const item: Item | undefined = instances.data?.[0]
  const image = useAnswer('ec2', 'DescribeImages', item ? { ImageIds: [item.ImageId] } : { Owners: ['self'] })
  if (!item) return instances.error ? <Alert type="error">{instances.error}</Alert> : <Spinner size="large" />
  const user = userOf(String(image.data?.Images?.[0]?.Name ?? ''))
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={t('connect.hint', { id })}>
          {t('connect.title')}
        </Header>
      }
    >
      <SpaceBetween size="m">
        {!isIn(from.connect, item.State.Name) && <Alert type="warning">{t('connect.notRunning')}</Alert>}
        <Container>
          <Tabs
            ariaLabel={t('connect.title')}
            activeTabId={kind}
            onChange={({ detail }) => stay(`?kind=${detail.activeTabId}`)}
            tabs={[
              { id: 'eic', label: t('connect.eic'), content: <ByUser key={user} item={item} user={user} /> },
              { id: 'ssm', label: t('connect.ssm'), content: <Shell item={item} kind="session" hint={t('connect.ssmHint')} /> },
              { id: 'ssh', label: t('connect.ssh'), content: <SshClient item={item} user={user} /> },
              { id: 'serial', label: t('connect.serial'), content: <Serial item={item} /> },
            ]}
          />
        </Container>
      </SpaceBetween>
    </ContentLayout>
  )
}

function ByUser({ item, user: known }: { item: Item; user: string }) {
  const [user, setUser] = useState(known)
  return (
    <SpaceBetween size="m">
      <FormField label={t('connect.username')} description={t('connect.usernameHint', { user: known })}>
        <Input value={user} onChange={({ detail }) => setUser(detail.value)} />
      </FormField>
      {!item.PublicIpAddress && <Alert type="warning">{t('connect.noIp')}</Alert>}
      <Shell item={item} kind="instance-connect" user={user} hint={t('connect.eicHint', { host: facts().hostAddress })} />
    </SpaceBetween>
  )
}

type ShellProps = { item: Item; kind: 'instance-connect' | 'session' | 'serial'; user?: string; hint: string }

function Shell({ item, kind, user = '', hint }: ShellProps) {
  const [turn, setTurn] = useState(0)
  const [on, setOn] = useState(false)
  const [ended, setEnded] = useState<string>()
  const leave = useRef<ButtonProps.Ref>(null)
  return (
    <SpaceBetween size="m">
      <Box>{hint}</Box>
      {on ? (
        <SpaceBetween size="xs" direction="horizontal" alignItems="center">
          <Button ref={leave} onClick={() => setOn(false)}>
            {t('connect.disconnect')}
          </Button>
          <Box color="text-body-secondary">{t('connect.leave')}</Box>
        </SpaceBetween>
      ) : (
        <Button
          variant="primary"
          disabled={!isIn(from.connect, item.State.Name)}
          onClick={() => {
            setEnded(undefined)
            setTurn(turn + 1)
            setOn(true)
          }}
        >
          {t('connect.go')}
        </Button>
      )}
      {ended !== undefined && <Alert type={ended ? 'error' : 'info'}>{ended || t('connect.ended')}</Alert>}
      {(on || ended !== undefined) && (
        <Suspense fallback={<Spinner />}>
          <Terminal
            key={turn}
            kind={kind}
            instance={item.InstanceId}
            user={user}
            onLeave={() => leave.current?.focus()}
            onEnd={message => {
              setOn(false)
              setEnded(message)
            }}
          />
        </Suspense>
      )}
    </SpaceBetween>
  )
}

function Serial({ item }: { item: Item }) {
  const access = useAnswer('ec2', 'GetSerialConsoleAccessStatus')
  const [turnedOn, setTurnedOn] = useState(false)
  const enabled = turnedOn || access.data?.SerialConsoleAccessEnabled === true
  const enable = (): void => {
    call('ec2', 'EnableSerialConsoleAccess').then(
      () => setTurnedOn(true),
      (error: unknown) => flash({ type: 'error', header: t('error.title'), content: wordsOf(error) }),
    )
  }
  if (!access.data && !access.error) return <Spinner />
  if (!enabled) {
    return (
      <SpaceBetween size="m">
        <Box>{t('connect.serialOff')}</Box>
        <Button onClick={enable}>{t('connect.serialEnable')}</Button>
        <Code calls={[{ service: 'ec2', operation: 'EnableSerialConsoleAccess', input: {} }]} />
      </SpaceBetween>
    )
  }
  return <Shell item={item} kind="serial" hint={t('connect.serialHint')} />
}

function SshClient({ item, user }: { item: Item; user: string }) {
  const key = `${item.KeyName}.pem`
  // Not the public DNS name: it resolves in the instance's own VPC alone.
  const address = item.PublicIpAddress ?? item.PrivateIpAddress
  const command = `ssh -i "${key}" ${user}@${address}`
  const line = (text: string) => (
    <CopyToClipboard
      variant="inline"
      textToCopy={text}
      textToDisplay={text}
      copyButtonAriaLabel={t('do.copy')}
      copySuccessText={t('do.copied')}
      copyErrorText={t('do.copyFailed')}
    />
  )
  if (!item.KeyName) return <Alert type="warning">{t('connect.noKey')}</Alert>
  return (
    <ol>
      <li>{t('connect.ssh1')}</li>
      <li>{t('connect.ssh2', { key: item.KeyName })}</li>
      <li>
        {t('connect.ssh3')} <Box variant="code">{line(`chmod 400 "${key}"`)}</Box>
      </li>
      <li>
        {t('connect.ssh4')} <Box variant="code">{line(command)}</Box>
      </li>
    </ol>
  )
}
