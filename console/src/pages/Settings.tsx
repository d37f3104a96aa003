/** What holds for the whole account in a Region, a box for each setting: how it is, and the way to change it. */
import { Alert, Button, Container, ContentLayout, Header, KeyValuePairs, SpaceBetween, Spinner } from '@cloudscape-design/components'
import { useEffect, useState } from 'react'
import { currentRegion } from '../api/call'
import { useLoaded } from '../api/use'
import { t } from '../i18n/text'
import { Cell } from '../parts/cells'
import { FormDialog } from '../parts/FormPage'
import type { Item, Resource } from '../resources/kinds'

export default function Settings() {
  const [settings, set] = useState<Resource[]>()
  useEffect(() => {
    void import('../resources/settings').then(area => set(area.resources))
  }, [])
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={t('settings.hint', { region: currentRegion() })}>
          {t('menu.settings')}
        </Header>
      }
    >
      {settings ? (
        <SpaceBetween size="l">
          {settings.map(one => (
            <Setting key={one.path} resource={one} />
          ))}
        </SpaceBetween>
      ) : (
        <Spinner size="large" />
      )}
    </ContentLayout>
  )
}

function Setting({ resource }: { resource: Resource }) {
  const { data, error, reload } = useLoaded<Item[]>(resource.load, resource.kinds, resource.path)
  const [open, setOpen] = useState(false)
  const [manage] = resource.actions ?? []
  const [item] = data ?? []
  const button = manage && (
    <Button disabled={!item} onClick={() => setOpen(true)}>
      {t(manage.label)}
    </Button>
  )
  const [title, hint] = resource.empty
  return (
    <Container
      header={
        <Header variant="h2" actions={button} description={hint === title ? undefined : t(hint)}>
          {t(title)}
        </Header>
      }
    >
      {error && <Alert type="error">{error}</Alert>}
      {!item && !error && <Spinner />}
      {item && <KeyValuePairs columns={3} items={resource.columns.map(c => ({ label: t(c.label), value: <Cell column={c} item={item} /> }))} />}
      {open && manage?.form && (
        <FormDialog
          service="ec2"
          form={manage.form}
          title={manage.label}
          item={item}
          id={currentRegion()}
          onDone={() => {
            reload()
            setOpen(false)
          }}
          onClose={() => setOpen(false)}
        />
      )}
    </Container>
  )
}
