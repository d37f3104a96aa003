/** A listing, one thing of it, or the form that makes one: the shared pages over a listing's definition. */
import { Alert, Box, ContentLayout, Header, SpaceBetween, Spinner, Tabs } from '@cloudscape-design/components'
import { useEffect, useMemo, useState } from 'react'
import { listAll } from '../api/call'
import { useLoaded } from '../api/use'
import { t } from '../i18n/text'
import { Actions } from '../parts/Actions'
import { Facts } from '../parts/Facts'
import { FormPage } from '../parts/FormPage'
import { ResourceTable } from '../parts/ResourceTable'
import { AskedTags, Ec2Tags } from '../parts/Tags'
import { resourceAt } from '../resources'
import { nameOf, type Item, type Resource } from '../resources/kinds'
import { stay, usePath } from '../shell/router'

type Props = { path: string; id?: string; create?: boolean }

export default function Resources({ path, id, create }: Props) {
  const [resource, setResource] = useState<Resource>()
  useEffect(() => {
    void resourceAt(path).then(setResource)
  }, [path])
  if (!resource) return <Spinner size="large" />
  if (create && resource.create?.form)
    return <FormPage service={resource.service} form={resource.create.form} title={resource.create.label} back={path} />
  return <Listing resource={resource} id={id} />
}

function Listing({ resource, id }: { resource: Resource; id?: string }) {
  const list = useLoaded<Item[]>(
    async (onPart, onLack) => {
      const rowsOf = resource.rows ?? (items => items)
      if (resource.load) return resource.load(onPart, onLack)
      const { service, operation, member, input } = resource
      return rowsOf(await listAll(service, operation, member, input, found => onPart(rowsOf(found))))
    },
    resource.kinds,
    resource.path,
  )
  const more = useLoaded(list.data && resource.also, resource.kinds, `${resource.path} ${list.data !== undefined}`)
  const whole = useMemo(() => more.data && list.data?.map(item => ({ ...item, ...more.data?.get(resource.id(item)) })), [list.data, more.data])
  if (id === undefined) return <ResourceTable resource={resource} list={{ ...list, data: whole ?? list.data }} />
  const item = (whole ?? list.data)?.find(found => resource.id(found) === id)
  if (!item)
    return list.loading ? (
      <Spinner size="large" />
    ) : (
      <ContentLayout header={<Header variant="h1">{t('error.missing')}</Header>}>
        <Alert type={list.error ? 'error' : 'info'}>{list.error ?? id}</Alert>
      </ContentLayout>
    )
  return <Details resource={resource} item={item} all={list.data} id={id} />
}

function Details({ resource, item, all, id }: { resource: Resource; item: Item; all?: readonly Item[]; id: string }) {
  const name = resource.name?.(item) ?? nameOf(item)
  const asked = new URLSearchParams(usePath().split('?')[1]).get('tab')
  const tabs = (resource.tabs ?? []).map(tab => ({ id: tab.id, label: t(tab.label), content: tab.content(item) }))
  if (!resource.tabs?.some(tab => tab.id === 'details'))
    tabs.unshift({ id: 'details', label: t('tab.details'), content: <Facts title="tab.details" columns={resource.columns} item={item} /> })
  if (resource.tagged) tabs.push({ id: 'tags', label: t('tab.tags'), content: <Ec2Tags id={id} tags={item.Tags ?? []} /> })
  const { tagging } = resource
  if (tagging) tabs.push({ id: 'tags', label: t('tab.tags'), content: <AskedTags id={id} resource={resource} tagging={tagging} item={item} /> })
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              {resource.actions && <Actions resource={resource} items={[item]} all={all} />}
            </SpaceBetween>
          }
        >
          {id.startsWith('arn:') ? name : id}
          {name !== '' && name !== id && !id.startsWith('arn:') && (
            <Box variant="span" color="text-body-secondary">
              {' '}
              ({name})
            </Box>
          )}
        </Header>
      }
    >
      <Tabs
        tabs={tabs}
        ariaLabel={id}
        activeTabId={tabs.some(tab => tab.id === asked) ? asked! : tabs[0]!.id}
        onChange={({ detail }) => stay(`?tab=${detail.activeTabId}`)}
      />
    </ContentLayout>
  )
}
