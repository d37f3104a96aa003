/** What an instance's console has printed, and its user data with what came of it. */
import { Alert, Box, Container, ContentLayout, Header, Tabs } from '@cloudscape-design/components'
import { call } from '../api/call'
import { phasesOf, plainLog } from '../api/boot-log'
import { useConsole } from '../api/console-log'
import { useLoaded } from '../api/use'
import { t } from '../i18n/text'
import { LogText } from '../parts/LogText'

export default function Logs({ id }: { id: string }) {
  const { log, error } = useConsole(id, true)
  const given = useLoaded(
    async () => (await call('ec2', 'DescribeInstanceAttribute', { InstanceId: id, Attribute: 'userData' })).UserData?.Value as string | undefined,
    [],
    id,
  )
  const script = given.data ? new TextDecoder().decode(Uint8Array.from(atob(given.data), c => c.charCodeAt(0))) : ''
  const block = (text: string, label: string) => <LogText text={text} label={label} height="60vh" />
  return (
    <ContentLayout header={<Header variant="h1">{t('logs.title')}</Header>}>
      <Container>
        {error && <Alert type="error">{error}</Alert>}
        <Tabs
          ariaLabel={t('logs.title')}
          tabs={[
            { id: 'system', label: t('logs.system'), content: block(plainLog(log), t('logs.system')) },
            {
              id: 'user',
              label: t('logs.userDataLog'),
              content: (
                <>
                  <Box>{t('logs.userDataLogHint')}</Box>
                  {block(phasesOf(log).userDataLog, t('logs.userDataLog'))}
                </>
              ),
            },
            { id: 'script', label: t('logs.userData'), content: block(script, t('logs.userData')) },
          ]}
        />
      </Container>
    </ContentLayout>
  )
}
