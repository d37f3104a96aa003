/** What becomes of a launch: each phase of the boot as it is seen, and the page's address when it answers. */
import {
  Alert,
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
import { phasesOf } from '../api/boot-log'
import { useConsole } from '../api/console-log'
import { useInstances, useLoaded } from '../api/use'
import { t, type Key } from '../i18n/text'
import { LogText } from '../parts/LogText'
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

type Step = { label: Key; sign: StatusIndicatorProps.Type }

/** Each phase's label and sign: what is done, what goes on now, what has not begun. */
function stepsOf(state: string, log: string, hasScript: boolean, answers: boolean): Step[] {
  const { dhcp, imds, userData, failed, ready } = phasesOf(log)
  const running = state === 'running'
  const step = (label: Key, done: boolean, busy: boolean): Step => ({ label, sign: done ? 'success' : busy ? 'in-progress' : 'pending' })
  // A script whose last command serves in the foreground never ends, as on EC2: its port tells that it is at work.
  const serving = userData && !ready && answers
  const script: Step = failed
    ? { label: 'status.userDataFailed', sign: 'error' }
    : serving
      ? { label: 'status.userDataServes', sign: 'success' }
      : ready
        ? step('status.userDataDone', true, false)
        : step('status.userData', false, userData)
  return [
    step('status.pending', running, state === 'pending'),
    step('status.running', running, false),
    step('status.dhcp', running && dhcp, running),
    step('status.imds', running && imds, running && dhcp),
    hasScript ? script : step('status.noUserData', running && imds, false),
    step('status.ready', running && (ready || serving), false),
  ]
}

function One({ item }: { item: Item }) {
  const id = item.InstanceId as string
  const state = item.State.Name as string
  const running = state === 'running'
  const [answers, setAnswers] = useState(false)
  const { log } = useConsole(id, running || state === 'pending', text => phasesOf(text).ready)
  const given = useLoaded(
    async () => (await call('ec2', 'DescribeInstanceAttribute', { InstanceId: id, Attribute: 'userData' })).UserData?.Value as string | undefined,
    [],
    id,
  )
  const phases = phasesOf(log)
  const hasScript = given.loading || given.data !== undefined
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
          {stepsOf(state, log, hasScript, answers).map(({ label, sign }) => (
            <div key={label}>
              <StatusIndicator type={sign}>{t(label)}</StatusIndicator>
            </div>
          ))}
        </SpaceBetween>
        {running && item.PublicIpAddress && <Port id={id} ip={item.PublicIpAddress as string} open={answers} onOpen={setAnswers} />}
        {hasScript && (
          <ExpandableSection headerText={t('logs.userDataLog')} defaultExpanded>
            <LogText label={t('logs.userDataLog')} text={phases.userDataLog} />
          </ExpandableSection>
        )}
      </SpaceBetween>
    </Container>
  )
}

type PortProps = { id: string; ip: string; open: boolean; onOpen(open: boolean): void }

/** Whether port 80 answers, as the live stream says. */
function Port({ id, ip, open, onOpen }: PortProps) {
  useEffect(() => {
    const source = new EventSource(`/_console/events?port=80&instance=${encodeURIComponent(id)}&region=${encodeURIComponent(currentRegion())}`)
    source.addEventListener('port', event => {
      const { answers } = JSON.parse((event as MessageEvent<string>).data) as { answers: boolean }
      onOpen(answers)
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
