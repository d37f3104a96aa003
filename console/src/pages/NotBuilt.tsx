/** The page of what is not there: what it is, and that it is not there. */
import { Box, Button, Container, ContentLayout, Header, SpaceBetween } from '@cloudscape-design/components'
import { t } from '../i18n/text'
import { go } from '../shell/router'

export default function NotBuilt({ name, what }: { name?: string; what?: string }) {
  return (
    <ContentLayout header={<Header variant="h1">{name ? t('notBuilt.title', { name }) : t('error.missing')}</Header>}>
      <Container>
        <SpaceBetween size="m">
          {what && <Box>{what}</Box>}
          <Box color="text-body-secondary">{t(name ? 'notBuilt.text' : 'notBuilt.nowhere')}</Box>
          <Button onClick={() => go('/')}>{t('menu.dashboard')}</Button>
        </SpaceBetween>
      </Container>
    </ContentLayout>
  )
}
