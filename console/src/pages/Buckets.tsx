/** S3: buckets, and the objects in one, folder by folder. */
import { Alert, Box, Button, FileInput, Header, SpaceBetween, Table } from '@cloudscape-design/components'
import { useState } from 'react'
import { call, wordsOf } from '../api/call'
import { useLoaded } from '../api/use'
import { formatDate, formatNumber, t } from '../i18n/text'
import { ItemLink } from '../parts/cells'
import { FormDialog } from '../parts/FormPage'
import type { Form, Item } from '../resources/kinds'
import { flash } from '../shell/flash'

const create: Form = { operation: 'CreateBucket', fields: [{ name: 'name', label: 'buckets.name' }], input: values => ({ Bucket: values.name }) }
const report = (error: unknown): void => {
  flash({ type: 'error', header: t('error.title'), content: wordsOf(error) })
}

export default function Buckets({ bucket, prefix }: { bucket?: string; prefix: string }) {
  return bucket === undefined ? <AllBuckets /> : <Objects bucket={bucket} prefix={prefix} />
}

function AllBuckets() {
  const list = useLoaded<Item[]>(async () => (await call('s3', 'ListBuckets')).Buckets ?? [], ['bucket'], 'buckets')
  const [making, setMaking] = useState(false)
  const [chosen, setChosen] = useState<Item[]>([])
  const remove = (): void => {
    void call('s3', 'DeleteBucket', { Bucket: chosen[0]!.Name }).then(list.reload, report)
  }
  return (
    <>
      <Table
        variant="full-page"
        items={list.data ?? []}
        loading={list.loading && !list.data}
        loadingText={t('table.loading')}
        trackBy="Name"
        selectionType="single"
        selectedItems={chosen}
        onSelectionChange={({ detail }) => setChosen(detail.selectedItems)}
        ariaLabels={{
          tableLabel: t('menu.s3'),
          selectionGroupLabel: t('table.selection'),
          itemSelectionLabel: (_, b) => t('table.select', { name: b.Name }),
        }}
        header={
          <Header
            variant="awsui-h1-sticky"
            actions={
              <SpaceBetween size="xs" direction="horizontal">
                <Button iconName="refresh" ariaLabel={t('do.refresh')} onClick={list.reload} />
                <Button disabled={chosen.length === 0} onClick={remove}>
                  {t('buckets.deleteBucket')}
                </Button>
                <Button variant="primary" onClick={() => setMaking(true)}>
                  {t('buckets.create')}
                </Button>
              </SpaceBetween>
            }
          >
            {t('menu.s3')}
          </Header>
        }
        filter={
          list.error && (
            <Alert type="error" header={t('error.load')}>
              {list.error}
            </Alert>
          )
        }
        empty={<Box>{t('buckets.empty')}</Box>}
        columnDefinitions={[
          {
            id: 'name',
            header: t('f.Name'),
            isRowHeader: true,
            cell: b => <ItemLink href={`/s3/buckets/${encodeURIComponent(b.Name)}`} text={b.Name} />,
          },
          { id: 'created', header: t('f.created'), cell: b => formatDate(b.CreationDate) },
        ]}
      />
      {making && (
        <FormDialog
          service="s3"
          form={create}
          title="buckets.create"
          item={undefined}
          id=""
          onClose={() => {
            setMaking(false)
            list.reload()
          }}
        />
      )}
    </>
  )
}

function Objects({ bucket, prefix }: { bucket: string; prefix: string }) {
  const list = useLoaded<Item[]>(
    async () => {
      const found: Item[] = []
      let token: string | undefined
      do {
        const answer = await call('s3', 'ListObjectsV2', { Bucket: bucket, Prefix: prefix, Delimiter: '/', ContinuationToken: token })
        found.push(
          ...(answer.CommonPrefixes ?? []).map((p: Item) => ({ Key: p.Prefix, folder: true })),
          ...(answer.Contents ?? []).filter((o: Item) => o.Key !== prefix),
        )
        token = answer.IsTruncated ? (answer.NextContinuationToken as string) : undefined
      } while (token)
      return found
    },
    ['object', 'bucket'],
    `${bucket}/${prefix}`,
  )
  const [chosen, setChosen] = useState<Item[]>([])
  const at = (folder: string): string => `/s3/buckets/${encodeURIComponent(bucket)}${folder ? `?prefix=${encodeURIComponent(folder)}` : ''}`
  async function upload(files: File[]): Promise<void> {
    for (const file of files)
      await call('s3', 'PutObject', {
        Bucket: bucket,
        Key: `${prefix}${file.name}`,
        Body: new Uint8Array(await file.arrayBuffer()),
        ContentType: file.type || undefined,
      })
    list.reload()
  }
  async function save(item: Item): Promise<void> {
    const { Body } = await call('s3', 'GetObject', { Bucket: bucket, Key: item.Key })
    const url = URL.createObjectURL(new Blob([await Body.transformToByteArray()], { type: 'application/octet-stream' }))
    Object.assign(document.createElement('a'), { href: url, download: String(item.Key).split('/').pop() }).click()
    URL.revokeObjectURL(url)
  }
  const remove = async (): Promise<void> => {
    for (const item of chosen) await call('s3', 'DeleteObject', { Bucket: bucket, Key: item.Key })
    setChosen([])
    list.reload()
  }
  const parent = prefix
    .split('/')
    .slice(0, -2)
    .map(part => `${part}/`)
    .join('')
  return (
    <Table
      variant="full-page"
      items={list.data ?? []}
      loading={list.loading && !list.data}
      loadingText={t('table.loading')}
      trackBy="Key"
      selectionType="multi"
      selectedItems={chosen}
      onSelectionChange={({ detail }) => setChosen(detail.selectedItems)}
      isItemDisabled={item => item.folder === true}
      ariaLabels={{
        tableLabel: t('buckets.objects'),
        selectionGroupLabel: t('table.selection'),
        allItemsSelectionLabel: () => t('table.selectAll'),
        itemSelectionLabel: (_, o) => t('table.select', { name: o.Key }),
      }}
      header={
        <Header
          variant="awsui-h1-sticky"
          description={prefix}
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <Button iconName="refresh" ariaLabel={t('do.refresh')} onClick={list.reload} />
              <Button
                disabled={chosen.length !== 1}
                onClick={() => {
                  void save(chosen[0]!).catch(report)
                }}
              >
                {t('buckets.download')}
              </Button>
              <Button
                disabled={chosen.length === 0}
                onClick={() => {
                  void remove().catch(report)
                }}
              >
                {t('do.delete')}
              </Button>
              <FileInput
                multiple
                value={[]}
                onChange={({ detail }) => {
                  void upload(detail.value).catch(report)
                }}
              >
                {t('buckets.upload')}
              </FileInput>
            </SpaceBetween>
          }
        >
          {bucket}
        </Header>
      }
      filter={
        list.error ? (
          <Alert type="error" header={t('error.load')}>
            {list.error}
          </Alert>
        ) : (
          prefix && <ItemLink href={at(parent)} text={t('buckets.up')} />
        )
      }
      empty={<Box>{t('buckets.noObjects')}</Box>}
      columnDefinitions={[
        {
          id: 'key',
          header: t('f.key'),
          isRowHeader: true,
          cell: o => (o.folder ? <ItemLink href={at(o.Key)} text={String(o.Key).slice(prefix.length)} /> : String(o.Key).slice(prefix.length)),
        },
        { id: 'size', header: t('f.size'), cell: o => (o.folder ? t('value.none') : formatNumber(o.Size)) },
        { id: 'modified', header: t('f.modified'), cell: o => formatDate(o.LastModified) },
      ]}
    />
  )
}
