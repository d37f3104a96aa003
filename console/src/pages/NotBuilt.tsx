/** The page of what is not there: it says so. */
import { Box, ContentLayout, Header } from '@cloudscape-design/components'
import { t } from '../i18n/text'

export default function NotBuilt({ name }: { name?: string }) {
  return (
    <ContentLayout header={<Header variant="h1">{name ? t('notBuilt.title', { name }) : t('error.missing')}</Header>}>
      {name && <Box>{t('notBuilt.text')}</Box>}
    </ContentLayout>
  )
}
