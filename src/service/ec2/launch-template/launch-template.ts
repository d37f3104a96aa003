/**
 * A launch template and its versions: what they are. A version is a record of its own, as a template may have thousands of them.
 *
 * Invariants: a version is written once and never changed; the default version is there; numbers are never given twice, `last` counts them
 * (EC2 User Guide, "Restrictions for Amazon EC2 launch templates", "Delete a launch template or a launch template version").
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import { invalidCombination, invalidValue, missingParameter } from '#service/ec2/errors'
import type { Reader, Row } from '#store/store'

export type Data = sdk.RequestLaunchTemplateData
export type Spec = {
  name: string
  createdBy: string
  defaultVersion: number
  /** The highest number that there is. */
  latest: number
  /** The highest number that there ever was. */
  last: number
  /** How many there are. */
  count: number
}
export type TemplateRow = Row<Spec, object>
export type VersionSpec = {
  template: string
  number: number
  description?: string
  createdBy: string
  /** In AWS's words, as it was given. */
  data: Data
}
export type VersionRow = Row<VersionSpec, object>

/** Nothing here is managed by a service of AWS's. */
const own = { Managed: false }
const definition = resource<Spec, object, sdk.LaunchTemplate>({
  kind: 'launch-template', prefix: 'lt', label: 'launch template ID',
  missing: 'InvalidLaunchTemplateId.NotFound', malformed: 'InvalidLaunchTemplateId.Malformed',
  view: ({ id, created, spec, tags }) => ({
    LaunchTemplateId: id, LaunchTemplateName: spec.name, CreateTime: new Date(created), CreatedBy: spec.createdBy,
    DefaultVersionNumber: spec.defaultVersion, LatestVersionNumber: spec.latest, Tags: tagList(tags), Operator: own,
  }),
  filters: { 'create-time': 'CreateTime', 'launch-template-name': 'LaunchTemplateName' },
})

/** Texts seen on AWS in moto's tests (test_launch_templates.py, marked aws_verified). */
const lacking = (what: 'ID' | 'name', value: string): ApiError => {
  const code = what === 'ID' ? definition.missing : 'InvalidLaunchTemplateName.NotFoundException'
  return new ApiError(code, `The specified launch template, with template ${what} ${value}, does not exist.`)
}

async function get(reader: Reader, { account, region }: Place, id: string): Promise<TemplateRow> {
  definition.checkId(id)
  const row = await definition.find(reader, id)
  if (row?.account !== account || row.region !== region) throw lacking('ID', id)
  return row
}

export const launchTemplate = {
  ...definition, get,
  getAll: (reader: Reader, place: Place, ids: readonly string[]): Promise<TemplateRow[]> =>
    Promise.all([...new Set(ids)].map(id => get(reader, place, id))),
}

export const nameScope = ({ account, region }: Place): string => `launch-template-name/${account}/${region}`

export async function templateByName(reader: Reader, place: Place, name: string): Promise<TemplateRow> {
  const id = await reader.holder(nameScope(place), name)
  if (id === undefined) throw lacking('name', name)
  return get(reader, place, id)
}

type Named = { LaunchTemplateId?: string; LaunchTemplateName?: string }

/** The template that a request names, by its id or its name; `purpose` as AWS's message ends. */
export function templateOf(reader: Reader, place: Place, { LaunchTemplateId: id, LaunchTemplateName: name }: Named, purpose: string) {
  if (id !== undefined && name !== undefined) {
    throw invalidCombination(`Either provide launch template ID or launch template name to ${purpose}.`)
  }
  if (id !== undefined) return get(reader, place, id)
  if (name === undefined) throw missingParameter('launch template ID or launch template name')
  return templateByName(reader, place, name)
}

/** Greater numbers first, as DescribeLaunchTemplateVersions lists them. */
const idOf = (template: string, number: number): string => `${template}/${String(999_999_999 - number).padStart(9, '0')}`

/** Dates come out of the store as texts. */
function revived(data: Data): Data {
  const spot = data.InstanceMarketOptions?.SpotOptions
  if (spot?.ValidUntil === undefined) return data
  return { ...data, InstanceMarketOptions: { ...data.InstanceMarketOptions, SpotOptions: { ...spot, ValidUntil: new Date(spot.ValidUntil) } } }
}

const inData = (path: string): string => `LaunchTemplateData.${path}`
export const templateVersion = resource<VersionSpec, object, sdk.LaunchTemplateVersion, Map<string, TemplateRow>>({
  kind: 'launch-template-version', prefix: 'lt', label: 'launch template version',
  missing: 'InvalidLaunchTemplateId.VersionNotFound', malformed: 'InvalidLaunchTemplateId.Malformed',
  join: async (reader, rows) => {
    const ids = [...new Set(rows.map(row => row.spec.template))]
    return new Map((await reader.getAll<TemplateRow>(definition.kind, ids)).map(row => [row.id, row]))
  },
  view: ({ created, spec }, templates) => {
    const template = templates.get(spec.template)!
    return {
      LaunchTemplateId: spec.template, LaunchTemplateName: template.spec.name, VersionNumber: spec.number, VersionDescription: spec.description,
      CreateTime: new Date(created), CreatedBy: spec.createdBy, DefaultVersion: template.spec.defaultVersion === spec.number,
      LaunchTemplateData: revived(spec.data) as sdk.ResponseLaunchTemplateData, Operator: own,
    }
  },
  filters: {
    'create-time': 'CreateTime', 'is-default-version': 'DefaultVersion', 'ebs-optimized': inData('EbsOptimized'), 'image-id': inData('ImageId'),
    'instance-type': inData('InstanceType'), 'kernel-id': inData('KernelId'), 'ram-disk-id': inData('RamDiskId'),
    'iam-instance-profile': inData('IamInstanceProfile.Arn'), 'host-resource-group-arn': inData('Placement.HostResourceGroupArn'),
    'http-endpoint': inData('MetadataOptions.HttpEndpoint'), 'http-protocol-ipv4': inData('MetadataOptions.HttpEndpoint'),
    'http-tokens': inData('MetadataOptions.HttpTokens'), 'license-configuration-arn': inData('LicenseSpecifications.LicenseConfigurationArn'),
    'network-card-index': inData('NetworkInterfaces.NetworkCardIndex'),
  },
})

type NewVersion = Omit<VersionSpec, 'template'> & { now: Date }

export const makeVersion = ({ id, account, region }: TemplateRow, { now, ...spec }: NewVersion): VersionRow =>
  templateVersion.make({ id: idOf(id, spec.number), account, region, now, spec: { template: id, ...spec }, status: {} })

/** The version's number that a text means for this template. */
export function numberOf({ spec }: TemplateRow, text: string, parameter: string): number {
  if (text === '$Latest') return spec.latest
  if (text === '$Default') return spec.defaultVersion
  if (!/^[1-9]\d{0,8}$/.test(text)) throw invalidValue(parameter, text, 'It must be $Latest, $Default or a version number.')
  return Number(text)
}

export const findVersion = (reader: Reader, { id }: TemplateRow, number: number): Promise<VersionRow | undefined> =>
  templateVersion.find(reader, idOf(id, number))

/** The version that a text means; AWS's error where there is none. */
export async function versionOf(reader: Reader, template: TemplateRow, text: string, parameter: string): Promise<VersionRow> {
  const row = await findVersion(reader, template, numberOf(template, text, parameter))
  if (row) return row
  throw new ApiError(templateVersion.missing, `Could not find the specified version ${text} for the launch template with ID ${template.id}.`)
}

type Range = { after?: string; size?: number; least?: number; most?: number }

/** A template's versions by pages, the newest first. */
export async function* scanVersions(reader: Reader, { id, account, region }: TemplateRow, { after = '', size = 200, least, most }: Range = {}) {
  const mine = (row: VersionRow): boolean => row.spec.template === id && row.spec.number >= (least ?? 1)
  const start = most === undefined ? `${id}/` : idOf(id, most + 1)
  const limit = Number.isFinite(size) ? size : 200
  for (let last = after > start ? after : start; ;) {
    const rows = await reader.list<VersionRow>({ kind: templateVersion.kind, account, region, after: last, limit })
    yield rows.filter(mine)
    if (rows.length < limit || !mine(rows.at(-1)!)) return
    last = rows.at(-1)!.id
  }
}
