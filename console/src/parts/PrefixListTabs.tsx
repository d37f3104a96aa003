/** The tabs of a managed prefix list. */
import { Container, FormField, Header, Select, SpaceBetween } from '@cloudscape-design/components'
import { useState } from 'react'
import { t } from '../i18n/text'
import { column, type Action, type Column, type Item } from '../resources/kinds'
import { SubList, type SubListProps } from './SubList'
import { placeOf } from './VpcTabs'

const columns: Column[] = [column('Cidr', 'f.cidr'), column('Description', 'f.description')]
const users: Column[] = [
  { id: 'ResourceId', label: 'f.resource', value: item => item.ResourceId, href: item => placeOf(item.ResourceId) },
  column('ResourceOwner', 'f.OwnerId'),
]

type ListProps = Pick<SubListProps, 'remove' | 'kinds'> & { id: string; version?: number }
const Entries = ({ id, version, ...more }: ListProps) => (
  <SubList
    service="ec2"
    title="prefixLists.tab"
    operation="GetManagedPrefixListEntries"
    member="Entries"
    input={{ PrefixListId: id, TargetVersion: version }}
    columns={columns}
    empty="prefixLists.noEntries"
    {...more}
  />
)

/** Of AWS's own lists nothing is taken away. */
export const PrefixListEntries = ({ item: { PrefixListId: id, OwnerId, Version } }: { item: Item }) => {
  const all = (entries: Item[]) => ({ PrefixListId: id, CurrentVersion: Version, RemoveEntries: entries.map(({ Cidr }) => ({ Cidr })) })
  const remove: Action = { id: 'remove', label: 'do.delete', operation: 'ModifyManagedPrefixList', all, confirm: 'plain' }
  return <Entries id={id} kinds={['prefix-list']} remove={OwnerId === 'AWS' ? undefined : remove} />
}

/** What was in it, version by version. */
export function PrefixListVersions({ item }: { item: Item }) {
  const [chosen, setChosen] = useState<string>(String(item.Version ?? 1))
  const options = Array.from({ length: item.Version ?? 0 }, (_, i) => ({ value: String(i + 1), label: String(i + 1) })).reverse()
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">{t('prefixLists.versions')}</Header>}>
        <FormField label={t('f.version')}>
          <Select
            selectedOption={options.find(o => o.value === chosen) ?? null}
            options={options}
            empty={t('value.none')}
            onChange={({ detail }) => setChosen(detail.selectedOption.value!)}
          />
        </FormField>
      </Container>
      {options.length > 0 && <Entries id={item.PrefixListId} version={Number(chosen)} />}
    </SpaceBetween>
  )
}

export const PrefixListUsers = ({ item }: { item: Item }) => (
  <SubList
    service="ec2"
    title="prefixLists.users"
    operation="GetManagedPrefixListAssociations"
    member="PrefixListAssociations"
    input={{ PrefixListId: item.PrefixListId }}
    columns={users}
    empty="prefixLists.noUsers"
    kinds={['route-table', 'security-group-rule']}
  />
)
