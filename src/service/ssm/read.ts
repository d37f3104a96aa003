/** Reading parameters: one, some, by path, their history, and their descriptions. */
import type * as Sdk from '@aws-sdk/client-ssm'
import type { Actions, Call, Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { pageOf } from '#kit/describe'
import type { Sealer } from '#identity/seal'
import { chooser } from '#service/ssm/filter'
import {
  arnOf, findParameter, getParameter, getVersion, invalid, notFound, parametersIn, selectorOf, versionsOf, type ParameterRow, type VersionRow,
} from '#service/ssm/parameter'
import { isPublic, publicParameters, type PublicImages, type PublicParameter } from '#service/ssm/public'

export type Parts = { sealer: Sealer; images: PublicImages }
const MOST_NAMES = 10

/** The value in the clear, or of a SecureString what stands in its stead. */
function valueOf(sealer: Sealer, { id, spec }: VersionRow, decrypt: boolean | undefined): string {
  if (spec.type !== 'SecureString' || !decrypt) return spec.value
  const opened = sealer.open('parameter', id, Buffer.from(spec.value, 'base64'))
  if (!opened) throw new Error(`the parameter ${id} was sealed with another key`)
  return opened.toString()
}

export function openReader({ sealer, images }: Parts) {
  const view = (place: Place, name: string, version: VersionRow, { decrypt, text }: { decrypt?: boolean; text?: string }): Sdk.Parameter => ({
    Name: name, Type: version.spec.type, Value: valueOf(sealer, version, decrypt), Version: version.spec.version, Selector: text,
    LastModifiedDate: new Date(version.created), ARN: arnOf(place, name), DataType: version.spec.dataType,
  })
  const viewPublic = ({ region }: Place, { name, value, created }: PublicParameter): Sdk.Parameter => ({
    Name: name, Type: 'String', Value: value, Version: 1, LastModifiedDate: new Date(created), ARN: `arn:aws:ssm:${region}::parameter${name}`,
    DataType: 'aws:ec2:image',
  })
  async function one(call: Pick<Call<object>, 'tx'> & Place, text: string, decrypt: boolean | undefined): Promise<Sdk.Parameter> {
    const selector = selectorOf(text, call)
    if (isPublic(selector.name)) {
      const found = publicParameters(images, call.region).find(({ name }) => name === selector.name)
      if (!found || (selector.version ?? 1) !== 1) throw notFound(text)
      return viewPublic(call, found)
    }
    const row = await getParameter(call.tx, call, selector.name)
    return view(call, row.spec.name, await getVersion(call.tx, row, selector), { decrypt, text: selector.text })
  }
  return { one, view, viewPublic }
}

const below = (name: string, path: string, recursive: boolean | undefined): boolean => {
  const prefix = path === '/' ? '/' : `${path.replace(/\/$/, '')}/`
  return name.startsWith(prefix) && (recursive === true || !name.slice(prefix.length).includes('/'))
}

function pageSize(asked: number | undefined, most: number): number {
  if (asked !== undefined && (asked < 1 || asked > most))
    throw invalid(`1 validation error detected: Value '${asked}' at 'maxResults' failed to satisfy `
    + `constraint: Member must have value less than or equal to ${most}`)
  return asked ?? most
}

/** One page; the token belongs to what was asked. */
function page<V>(items: V[], nameOf: (item: V) =>
  string, asked: { MaxResults?: number; NextToken?: string }, of: unknown): { items: V[]; next?: string } {
  return pageOf(items, nameOf, asked, JSON.stringify(of), { least: 1, most: asked.MaxResults! })
}

export const readActions = (parts: Parts): Actions<typeof Sdk> => {
  const { one, view, viewPublic } = openReader(parts)
  return {
    async GetParameter(call) { return { Parameter: await one(call, call.input.Name!, call.input.WithDecryption) } },

    async GetParameters(call) {
      const { Names = [], WithDecryption } = call.input
      if (Names.length === 0 || Names.length > MOST_NAMES)
        throw invalid(`1 validation error detected: Value at 'names' failed to satisfy constraint: `
        + `Member must have length less than or equal to ${MOST_NAMES} and greater than or equal to 1`)
      if (new Set(Names).size !== Names.length) throw invalid('Duplicate parameter names are not allowed.')
      const Parameters: Sdk.Parameter[] = []
      const InvalidParameters: string[] = []
      for (const name of Names) {
        const found = await one(call, name, WithDecryption).catch((error: unknown) => {
          if (error instanceof ApiError && /^Parameter(Version)?NotFound$/.test(error.code)) return undefined
          throw error
        })
        if (found) Parameters.push(found)
        else InvalidParameters.push(name)
      }
      return { Parameters, InvalidParameters }
    },

    async GetParametersByPath(call) {
      const { Path = '', Recursive, ParameterFilters, WithDecryption } = call.input
      if (!Path.startsWith('/'))
        throw invalid('The parameter doesn\'t meet the parameter name requirements. The parameter name must begin with a forward slash "/".')
      const MaxResults = pageSize(call.input.MaxResults, 10)
      const of = ['path', call.account, call.region, Path, Recursive, ParameterFilters]
      if (isPublic(`${Path}/`)) {
        const found = publicParameters(parts.images, call.region).filter(({ name }) => below(name, Path, Recursive))
        const { items, next } = page(found, ({ name }) => name, { ...call.input, MaxResults }, of)
        return { Parameters: items.map(item => viewPublic(call, item)), NextToken: next }
      }
      const label = ParameterFilters?.find(filter => filter.Key === 'Label')
      const choose = chooser(ParameterFilters?.filter(filter => filter !== label), ['Type', 'KeyId'])
      const rows = (await parametersIn(call.tx, call)).filter(row => below(row.spec.name, Path, Recursive) && choose(row))
      const shown: { row: ParameterRow; version: VersionRow }[] = []
      for (const row of rows) {
        const versions = await versionsOf(call.tx, row)
        const version = label ? versions.find(({ spec }) => spec.labels.some(text => label.Values?.includes(text))) : versions.at(-1)
        if (version) shown.push({ row, version })
      }
      const { items, next } = page(shown, ({ row }) => row.spec.name, { ...call.input, MaxResults }, of)
      return { Parameters: items.map(({ row, version }) => view(call, row.spec.name, version, { decrypt: WithDecryption })), NextToken: next }
    },

    async GetParameterHistory(call) {
      const { Name, WithDecryption } = call.input
      const MaxResults = pageSize(call.input.MaxResults, 50)
      const row = await getParameter(call.tx, call, selectorOf(Name!, call).name)
      const { items, next } = page(await versionsOf(call.tx, row), ({ id }) => id, { ...call.input, MaxResults }, ['history', row.id])
      return {
        Parameters: items.map(version => ({
          ...describe(call, row.spec.name, version), Value: valueOf(parts.sealer, version, WithDecryption), Labels: version.spec.labels,
        })),
        NextToken: next,
      }
    },

    async DescribeParameters(call) {
      const { Filters, ParameterFilters, Shared } = call.input
      if (Shared) throw new ApiError('UnsupportedOperation', 'Enclume does not implement Shared of DescribeParameters.')
      if (Filters?.length && ParameterFilters?.length) throw invalid('You can use either Filters or ParameterFilters in a single request.')
      const old = Filters?.map(({ Key, Values }) => ({ Key, Values, Option: Key === 'Name' ? 'BeginsWith' : 'Equals' }))
      const choose = chooser(ParameterFilters ?? old, ['Name', 'Path', 'Type', 'KeyId', 'Tier', 'DataType', 'tag'])
      const MaxResults = pageSize(call.input.MaxResults, 50)
      const rows = (await parametersIn(call.tx, call)).filter(choose)
      const { items, next } = page(rows, row =>
        row.spec.name, { ...call.input, MaxResults }, ['describe', call.account, call.region, ParameterFilters ?? Filters])
      const Parameters: Sdk.ParameterMetadata[] = []
      for (const row of items) {
        Parameters.push({ ...describe(call, row.spec.name, await getVersion(call.tx, row, { name: row.spec.name })), ARN: arnOf(call,
          row.spec.name) })
      }
      return { Parameters, NextToken: next }
    },
  }
}

const describe = (_: Place, name: string, { spec, created }: VersionRow) => ({
  Name: name, Type: spec.type, KeyId: spec.type === 'SecureString' ? KEY : undefined, LastModifiedDate: new Date(created),
    LastModifiedUser: spec.user,
  Description: spec.description, AllowedPattern: spec.pattern, Version: spec.version, Tier: spec.tier, Policies: [], DataType: spec.dataType,
})

/** The one key that seals SecureStrings: AWS's own for SSM. */
export const KEY = 'alias/aws/ssm'

/** For RunInstances' `resolve:ssm:`: a parameter's value and ARN, undefined where there is none. */
export type Lookup = (tx: Call<object>['tx'], place: Place, text: string) => Promise<{ arn: string; value: string } | undefined>
export const lookup = (parts: Parts): Lookup => async (tx, place, text) => {
  const { name } = selectorOf(text, place)
  if (!isPublic(name) && !await findParameter(tx, place, name)) return undefined
  const found = await openReader(parts).one({ ...place, tx }, text, true)
  return { arn: found.ARN!, value: found.Value! }
}
