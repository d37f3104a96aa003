/** The catalogue: images that are there for everybody, and one's own. */
import { Box, Button, Cards, ContentLayout, Header, SpaceBetween } from '@cloudscape-design/components'
import { useList } from '../api/use'
import { t, type Key } from '../i18n/text'
import type { Item } from '../resources/kinds'
import { go } from '../shell/router'

export default function Catalog() {
  const amazon = useList('ec2', 'DescribeImages', 'Images', { kinds: ['image'], input: { Owners: ['amazon'] } })
  const own = useList('ec2', 'DescribeImages', 'Images', { kinds: ['image'], input: { Owners: ['self'] } })
  const shared = new Set((amazon.data ?? []).map(i => i.ImageId))
  const cards = (title: Key, items: Item[], loading: boolean) => (
    <Cards
      items={items}
      trackBy="ImageId"
      loading={loading}
      loadingText={t('table.loading')}
      header={
        <Header variant="h2" counter={`(${items.length})`}>
          {t(title)}
        </Header>
      }
      empty={<Box>{t('catalog.none')}</Box>}
      cardDefinition={{
        header: i => i.Name as string,
        sections: [
          { id: 'description', content: i => i.Description as string },
          {
            id: 'facts',
            content: i => (
              <Box color="text-body-secondary">
                {i.ImageId} · {i.Architecture} · {i.RootDeviceType}
              </Box>
            ),
          },
          {
            id: 'launch',
            content: i => (
              <Button onClick={() => go(`/ec2/instances/launch?image=${i.ImageId}`)} ariaLabel={`${t('catalog.launch')}: ${i.Name}`}>
                {t('catalog.launch')}
              </Button>
            ),
          },
        ],
      }}
      cardsPerRow={[{ cards: 1 }, { minWidth: 600, cards: 2 }]}
    />
  )
  return (
    <ContentLayout header={<Header variant="h1">{t('menu.catalog')}</Header>}>
      <SpaceBetween size="l">
        {cards('catalog.quick', amazon.data ?? [], amazon.loading && !amazon.data)}
        {cards(
          'catalog.mine',
          (own.data ?? []).filter(i => !shared.has(i.ImageId)),
          own.loading && !own.data,
        )}
      </SpaceBetween>
    </ContentLayout>
  )
}
