/** The launch page's images: recents, own ones, quick start. */
import { Box, Button, Cards, Container, Header, Input, SpaceBetween, Tabs } from '@cloudscape-design/components'
import { useState } from 'react'
import type { Loaded } from '../api/use'
import { t } from '../i18n/text'
import type { SectionProps } from '../pages/Launch'
import type { Item } from '../resources/kinds'
import { facts } from '../shell/facts'
import { go } from '../shell/router'

const KEPT = 'enclume-recent-images'
const recents = (): string[] => JSON.parse(localStorage.getItem(KEPT) ?? '[]') as string[]
export function remember(image: string): void {
  localStorage.setItem(KEPT, JSON.stringify([image, ...recents().filter(id => id !== image)].slice(0, 5)))
}

export function ImageSection({ state, set, images }: SectionProps & { images: Loaded<Item[]> }) {
  const [search, setSearch] = useState('')
  const [tab, setTab] = useState('quick')
  const found = (images.data ?? []).filter(i => `${i.Name} ${i.ImageId} ${i.Description}`.toLowerCase().includes(search.toLowerCase()))
  const own = (i: Item): boolean => i.OwnerId === facts().account && i.ImageOwnerAlias !== 'amazon'
  const cards = (items: Item[]) => (
    <Cards
      items={items}
      trackBy="ImageId"
      selectionType="single"
      selectedItems={items.filter(i => i.ImageId === state.image)}
      loading={images.loading && !images.data}
      loadingText={t('table.loading')}
      ariaLabels={{ itemSelectionLabel: (_, i) => String(i.Name), selectionGroupLabel: t('launch.image') }}
      empty={<Box>{t('launch.noImages')}</Box>}
      onSelectionChange={({ detail }) => {
        const image = detail.selectedItems[0]?.ImageId as string
        remember(image)
        set({ image })
      }}
      cardDefinition={{
        header: i => i.Name as string,
        sections: [
          {
            id: 'id',
            content: i => (
              <Box color="text-body-secondary">
                {i.ImageId} · {i.Architecture}
              </Box>
            ),
          },
          { id: 'description', content: i => i.Description as string },
        ],
      }}
      cardsPerRow={[{ cards: 1 }, { minWidth: 500, cards: 2 }]}
    />
  )
  return (
    <Container
      header={
        <Header variant="h2" actions={<Button onClick={() => go('/ec2/catalog')}>{t('launch.browse')}</Button>}>
          {t('launch.image')}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <Input
          type="search"
          value={search}
          ariaLabel={t('launch.imageSearch')}
          placeholder={t('launch.imageSearch')}
          onChange={({ detail }) => setSearch(detail.value)}
        />
        <Tabs
          activeTabId={tab}
          onChange={({ detail }) => setTab(detail.activeTabId)}
          ariaLabel={t('launch.image')}
          tabs={[
            { id: 'recents', label: t('launch.recents'), content: cards(found.filter(i => recents().includes(i.ImageId))) },
            { id: 'mine', label: t('launch.mine'), content: cards(found.filter(own)) },
            { id: 'quick', label: t('launch.quick'), content: cards(found.filter(i => !own(i))) },
          ]}
        />
      </SpaceBetween>
    </Container>
  )
}
