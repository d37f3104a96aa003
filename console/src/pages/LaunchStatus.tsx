/** What becomes of a launch: each phase of the boot as it is seen, and the page's address when it answers. */
import {
  Alert,
  Box,
  Button,
  Container,
  ContentLayout,
  ExpandableSection,
  Header,
  Link,
  SpaceBetween,
  StatusIndicator,
  type StatusIndicatorProps,
} from '@cloudscape-design/components'
import { useEffect, useState } from 'react'
import { call, currentRegion } from '../api/call'
import { phasesOf, useConsole } from '../api/console-log'
import { useInstances, useLoaded } from '../api/use'
import { t, type Key } from '../i18n/text'
import { State } from '../parts/State'
import { nameOf, type Item } from '../resources/kinds'
import { go } from '../shell/router'

export default function LaunchStatus({ ids }: { ids: string[] }) {
  const instances = useInstances({ InstanceIds: ids })
  return (
    <ContentLayout
      header={
        <Header variant="h1" actions={<Button onClick={() => go('/ec2/instances')}>{t('status.all')}</Button>}>
          {t('status.title')}
        </Header>
      }
    >
      <SpaceBetween size="l">
        {instances.error && <Alert type="error">{instances.error}</Alert>}
        {(instances.data ?? []).map(item => (
          <One key={item.InstanceId} item={item} />
        ))}
      </SpaceBetween>
    </ContentLayout>
  )
}

function One({ item }: { item: Item }) {
  const id = item.InstanceId as string
  const state = item.State.Name as string
  const running = state === 'running'
  const { log } = useConsole(id, running || state === 'pending', text => phasesOf(text).ready)
  const given = useLoaded(
    async () => (await call('ec2', 'DescribeInstanceAttribute', { InstanceId: id, Attribute: 'userData' })).UserData?.Value as string | undefined,
    [],
    id,
  )
  const phases = phasesOf(log)
  const steps: [Key, boolean, boolean][] = [
    ['status.pending', running, state === 'pending'],
    ['status.running', running, false],
    ['status.dhcp', phases.dhcp, running && !phases.dhcp],
    ['status.imds', phases.imds, running && phases.dhcp && !phases.imds],
    [
      given.loading || given.data ? 'status.userData' : 'status.noUserData',
      phases.ready || (!given.loading && !given.data),
      phases.userData && !phases.ready,
    ],
    ['status.ready', phases.ready, false],
  ]
  const sign = (done: boolean, busy: boolean): StatusIndicatorProps.Type => (done ? 'success' : busy ? 'in-progress' : 'pending')
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={nameOf(item)}
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <Button onClick={() => go(`/ec2/instances/${id}`)}>{t('status.view')}</Button>
              <Button disabled={!running} onClick={() => go(`/ec2/instances/${id}/connect`)}>
                {t('instances.connect')}
              </Button>
            </SpaceBetween>
          }
        >
          {id} <State state={state} />
        </Header>
      }
    >
      <SpaceBetween size="m">
        <SpaceBetween size="xs">
          {steps.map(([key, done, busy]) => (
            <div key={key}>
              <StatusIndicator type={sign(done, busy)}>{t(key)}</StatusIndicator>
            </div>
          ))}
        </SpaceBetween>
        {running && item.PublicIpAddress && <Port id={id} ip={item.PublicIpAddress as string} />}
        <ExpandableSection headerText={t('logs.userDataLog')} defaultExpanded={phases.userData}>
          <Box variant="code" display="block">
            <pre style={{ whiteSpace: 'pre-wrap', maxHeight: '24rem', overflow: 'auto' }} tabIndex={0}>
              {phases.userDataLog || t('logs.none')}
            </pre>
          </Box>
        </ExpandableSection>
      </SpaceBetween>
    </Container>
  )
}

/** Whether port 80 answers, as the live stream says. */
function Port({ id, ip }: { id: string; ip: string }) {
  const [open, setOpen] = useState(false)
  useEffect(() => {
    const source = new EventSource(`/_console/events?port=80&instance=${encodeURIComponent(id)}&region=${encodeURIComponent(currentRegion())}`)
    source.addEventListener('port', event => {
      const { answers } = JSON.parse((event as MessageEvent<string>).data) as { answers: boolean }
      setOpen(answers)
      if (answers) source.close()
    })
    return () => source.close()
  }, [id, ip])
  if (!open) return <StatusIndicator type="pending">{t('status.notYet')}</StatusIndicator>
  return (
    <SpaceBetween size="xs" direction="horizontal">
      <StatusIndicator type="success">{t('status.answers')}</StatusIndicator>
      <Link external href={`http://${ip}`}>
        {t('status.open', { ip })}
      </Link>
    </SpaceBetween>
  )
}
