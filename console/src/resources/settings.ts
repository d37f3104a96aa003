/** What holds for the whole account in a Region: each setting is a listing of one thing, with the form that changes it. */
import { call } from '../api/call'
import { messages, t, type Key } from '../i18n/text'
import { placeOf } from '../parts/VpcTabs'
import type { Action, Call, Column, Field, Form, Item, Resource, Values } from './kinds'

/** The API's words as AWS's console says them of settings. */
const said = (word: string): string => (`settings.${word}` in messages ? t(`settings.${word}` as Key) : word)

type Setting = {
  id: string
  title: Key
  hint: Key
  operation: string
  kinds: readonly string[]
  columns: readonly Column[]
  manage?: Omit<Action, 'id'>
}
const setting = ({ id, hint, manage, ...rest }: Setting): Resource => ({
  ...rest,
  path: `/ec2/settings/${id}`,
  service: 'ec2',
  empty: [rest.title, hint],
  member: '',
  id: () => id,
  load: async () => [await call('ec2', rest.operation)],
  actions: manage && [{ id: 'manage', ...manage }],
})

const attribute = (name: string, label: Key, more: Partial<Column> = {}): Column => ({
  id: name,
  label,
  value: ({ AccountAttributes: all }) => all.find((one: Item) => one.AttributeName === name)?.AttributeValues[0].AttributeValue,
  ...more,
})
const DEFAULT_VPC = attribute('default-vpc', 'settings.defaultVpc')

const NO_PREFERENCE = 'no-preference'
/** The members of the defaults of metadata that are words, and which; none is no preference. */
const IMDS: Record<string, { label: Key; hint?: Key; options: readonly string[] }> = {
  HttpEndpoint: { label: 'settings.endpoint', options: ['enabled', 'disabled'] },
  HttpTokens: { label: 'launch.metadataVersion', options: ['required', 'optional'] },
  InstanceMetadataTags: { label: 'settings.tags', options: ['enabled', 'disabled'] },
  HttpTokensEnforced: { label: 'settings.enforced', hint: 'settings.enforcedHint', options: ['enabled', 'disabled'] },
}
const HOPS = 'HttpPutResponseHopLimit'
/** API Reference, ModifyInstanceMetadataDefaults: what takes a preference back. */
const NO_HOPS = -1
const level = ({ AccountLevel }: Item, name: string): string => AccountLevel?.[name] ?? NO_PREFERENCE
const hopsOf = ({ AccountLevel }: Item): string => String(AccountLevel?.[HOPS] ?? '')

const imds: Form = {
  fields: [
    ...Object.entries(IMDS).map(([name, { label, hint, options }]): Field => ({
      name, label, hint, kind: 'select', options: [NO_PREFERENCE, ...options], named: said,
    })),
    { name: HOPS, label: 'launch.hops', hint: 'settings.hopsHint', kind: 'number', optional: true },
  ],
  start: item => ({ ...Object.fromEntries(Object.keys(IMDS).map(name => [name, level(item, name)])), [HOPS]: hopsOf(item) }),
  calls(values: Values, item): Call[] {
    const changed = Object.keys(IMDS).filter(name => values[name] !== level(item, name)).map(name => [name, values[name]])
    const hops = values[HOPS] === hopsOf(item) ? [] : [[HOPS, values[HOPS] === '' ? NO_HOPS : Number(values[HOPS])]]
    const input = Object.fromEntries([...changed, ...hops])
    return Object.keys(input).length > 0 ? [{ operation: 'ModifyInstanceMetadataDefaults', input }] : []
  },
}

const snapshots: Form = {
  fields: [
    {
      name: 'state', label: 'settings.publicAccess', kind: 'select', options: ['unblocked', 'block-new-sharing', 'block-all-sharing'], named: said,
    },
  ],
  start: item => ({ state: item.State }),
  calls: ({ state }, { State: now }) => {
    if (state === now) return []
    if (state === 'unblocked') return [{ operation: 'DisableSnapshotBlockPublicAccess', input: {} }]
    return [{ operation: 'EnableSnapshotBlockPublicAccess', input: { State: state } }]
  },
}

const BLOCKED = 'block-new-sharing'
const images: Form = {
  fields: [{ name: 'on', label: 'settings.blockNew', kind: 'bool' }],
  start: item => ({ on: item.ImageBlockPublicAccessState === BLOCKED }),
  calls: ({ on }, { ImageBlockPublicAccessState: now }) => {
    if (on === (now === BLOCKED)) return []
    if (!on) return [{ operation: 'DisableImageBlockPublicAccess', input: {} }]
    return [{ operation: 'EnableImageBlockPublicAccess', input: { ImageBlockPublicAccessState: BLOCKED } }]
  },
}

const serial: Form = {
  fields: [{ name: 'on', label: 'settings.allow', kind: 'bool' }],
  start: item => ({ on: item.SerialConsoleAccessEnabled }),
  calls: ({ on }, { SerialConsoleAccessEnabled: now }) =>
    on === now ? [] : [{ operation: on ? 'EnableSerialConsoleAccess' : 'DisableSerialConsoleAccess', input: {} }],
}

export const resources: Resource[] = [
  setting({
    id: 'attributes',
    title: 'settings.attributes',
    hint: 'settings.attributes',
    operation: 'DescribeAccountAttributes',
    kinds: ['vpc'],
    columns: [
      { ...DEFAULT_VPC, href: item => placeOf(String(DEFAULT_VPC.value(item))) },
      attribute('supported-platforms', 'settings.platforms'),
      attribute('vpc-max-elastic-ips', 'settings.maxAddresses'),
      attribute('vpc-max-security-groups-per-interface', 'settings.maxGroups'),
    ],
  }),
  setting({
    id: 'imds',
    title: 'settings.imds',
    hint: 'settings.imdsHint',
    operation: 'GetInstanceMetadataDefaults',
    kinds: ['metadata-defaults'],
    columns: [
      ...Object.entries(IMDS).map(([name, { label }]): Column => ({ id: name, label, value: item => said(level(item, name)) })),
      { id: HOPS, label: 'launch.hops', value: item => hopsOf(item) || said(NO_PREFERENCE) },
    ],
    manage: { label: 'settings.manageImds', form: imds },
  }),
  setting({
    id: 'images',
    title: 'settings.images',
    hint: 'settings.imagesHint',
    operation: 'GetImageBlockPublicAccessState',
    kinds: ['public-access'],
    columns: [{ id: 'state', label: 'settings.publicAccess', value: item => said(item.ImageBlockPublicAccessState) }],
    manage: { label: 'settings.manageImages', form: images },
  }),
  setting({
    id: 'snapshots',
    title: 'settings.snapshots',
    hint: 'settings.snapshotsHint',
    operation: 'GetSnapshotBlockPublicAccessState',
    kinds: ['public-access'],
    columns: [{ id: 'state', label: 'settings.publicAccess', value: item => said(item.State) }],
    manage: { label: 'settings.manageSnapshots', form: snapshots },
  }),
  setting({
    id: 'serial',
    title: 'settings.serial',
    hint: 'settings.serialHint',
    operation: 'GetSerialConsoleAccessStatus',
    kinds: ['serial-console-access'],
    columns: [{ id: 'access', label: 'settings.access', value: item => said(item.SerialConsoleAccessEnabled ? 'enabled' : 'disabled') }],
    manage: { label: 'settings.manageSerial', form: serial },
  }),
  setting({
    id: 'encryption',
    title: 'settings.encryption',
    hint: 'settings.encryptionHint',
    operation: 'GetEbsEncryptionByDefault',
    kinds: [],
    columns: [{ id: 'encrypt', label: 'settings.encrypt', value: item => said(item.EbsEncryptionByDefault ? 'enabled' : 'disabled') }],
  }),
]
