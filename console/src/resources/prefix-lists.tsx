/** Managed prefix lists: what is in them, what was in them before, and who goes by them. */
import { PrefixListEntries, PrefixListUsers, PrefixListVersions } from '../parts/PrefixListTabs'
import { lines, simple } from './choices'
import { column, stateColumn, type Choice, type Item, type Resource } from './kinds'

const own = (item: Item): boolean => item.OwnerId !== 'AWS'

/** Its versions before the one of now, the newest first. */
const earlier = ({ Version }: Item): Choice[] => Array.from({ length: Version - 1 }, (_, i) => ({ value: String(Version - 1 - i) }))

export const prefixLists: Resource = {
  path: '/vpc/prefix-lists',
  service: 'ec2',
  title: 'menu.prefixLists',
  empty: ['prefixLists.empty', 'prefixLists.emptyHint'],
  operation: 'DescribeManagedPrefixLists',
  member: 'PrefixLists',
  id: item => item.PrefixListId,
  name: item => item.PrefixListName,
  kinds: ['prefix-list'],
  tagged: 'prefix-list',
  columns: [
    column('PrefixListName', 'f.Name', { width: 280 }),
    column('PrefixListId', 'f.PrefixListId'),
    stateColumn,
    column('AddressFamily', 'f.family'),
    column('MaxEntries', 'f.maxEntries'),
    column('Version', 'f.version'),
    column('OwnerId', 'f.OwnerId'),
  ],
  create: {
    label: 'prefixLists.create',
    form: {
      operation: 'CreateManagedPrefixList',
      id: answer => answer.PrefixList.PrefixListId,
      fields: [
        { name: 'name', label: 'f.Name' },
        { name: 'family', label: 'f.family', kind: 'select', options: ['IPv4', 'IPv6'] },
        { name: 'max', label: 'f.maxEntries', kind: 'number', value: '10' },
        { name: 'entries', label: 'prefixLists.entries', kind: 'area', optional: true },
      ],
      input: values => ({
        PrefixListName: values.name,
        AddressFamily: values.family,
        MaxEntries: Number(values.max),
        Entries: lines(values.entries).map(Cidr => ({ Cidr })),
      }),
    },
  },
  actions: [
    {
      id: 'add',
      label: 'prefixLists.add',
      enabled: own,
      form: {
        operation: 'ModifyManagedPrefixList',
        fields: [{ name: 'entries', label: 'prefixLists.entries', kind: 'area' }],
        input: (values, item) => ({
          PrefixListId: item?.PrefixListId,
          CurrentVersion: item?.Version,
          AddEntries: lines(values.entries).map(Cidr => ({ Cidr })),
        }),
      },
    },
    {
      id: 'resize',
      label: 'prefixLists.resize',
      enabled: own,
      form: {
        operation: 'ModifyManagedPrefixList',
        fields: [{ name: 'max', label: 'f.maxEntries', kind: 'number' }],
        start: item => ({ max: String(item.MaxEntries) }),
        input: (values, item) => ({ PrefixListId: item?.PrefixListId, MaxEntries: Number(values.max) }),
      },
    },
    {
      id: 'restore',
      label: 'prefixLists.restore',
      enabled: item => own(item) && item.Version > 1,
      form: {
        operation: 'RestoreManagedPrefixListVersion',
        fields: [{ name: 'version', label: 'f.version', kind: 'select', own: earlier }],
        input: (values, item) => ({ PrefixListId: item?.PrefixListId, PreviousVersion: Number(values.version), CurrentVersion: item?.Version }),
      },
    },
    { id: 'delete', label: 'prefixLists.delete', ...simple('DeleteManagedPrefixList', 'PrefixListId'), enabled: own, confirm: 'plain' },
  ],
  tabs: [
    { id: 'entries', label: 'prefixLists.tab', content: item => <PrefixListEntries item={item} /> },
    { id: 'versions', label: 'prefixLists.versions', content: item => <PrefixListVersions item={item} /> },
    { id: 'associations', label: 'prefixLists.users', content: item => <PrefixListUsers item={item} /> },
  ],
}
