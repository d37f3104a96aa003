/** Writing parameters: new versions, labels, tags, deletion. */
import { runInNewContext } from 'node:vm'
import type * as Sdk from '@aws-sdk/client-ssm'
import type { Actions, Call } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Sealer } from '#identity/seal'
import {
  checkName, getParameter, getVersion, idOf, invalid, MOST_VERSIONS, PARAMETER, selectorOf, VERSION, versionId, versionsOf,
  type Kind, type ParameterRow, type ParameterSpec, type VersionRow,
} from '#service/ssm/parameter'
import { KEY } from '#service/ssm/read'
import type { Tx } from '#store/store'

/** SSM User Guide, "Managing parameter tiers"; "Systems Manager endpoints and quotas". */
const LARGEST = { Standard: 4096, Advanced: 8192 }
const MOST = { Standard: 10_000, Advanced: 100_000 }
const MOST_LABELS = 10
const MOST_TAGS = 50
const KINDS = ['String', 'StringList', 'SecureString']
/** A pattern is its owner's own, and may not hold up everybody else. */
const PATTERN_MS = 100

type Asked = Call<Sdk.PutParameterRequest>

function fits(pattern: string, value: string): boolean {
  try {
    return runInNewContext('new RegExp(`^(?:${pattern})$`).test(value)', { pattern, value }, { timeout: PATTERN_MS }) as boolean
  } catch {
    throw new ApiError('InvalidAllowedPatternException', 'The pattern that was specified is not valid, or takes too long.')
  }
}

function checkValue({ type, dataType, pattern }: Pick<ParameterSpec, 'type' | 'dataType' | 'pattern'>, value: string): void {
  if (dataType === 'aws:ec2:image' && !/^ami-[0-9a-f]{8}([0-9a-f]{9})?$/.test(value))
    throw invalid('The parameter value is no ID of an AMI, as its data type asks.')
  if (pattern !== undefined && !fits(pattern, value)) {
    throw new ApiError('ParameterPatternMismatchException', 'Parameter value, cannot be validated against allowedPattern: ' + pattern)
  }
  if (type === 'StringList' && value.split(',').some(item => item === '')) throw invalid('A StringList has no empty items.')
}

/** What the parameter will be, from what is asked and what there is. */
function specOf({ input }: Asked, before: ParameterRow | undefined): Omit<ParameterSpec, 'version' | 'name'> {
  const { Type, Tier, Value = '', DataType = before?.spec.dataType ?? 'text', KeyId, Policies, AllowedPattern = before?.spec.pattern } = input
  if (Policies !== undefined) throw new ApiError('UnsupportedOperation', 'Enclume does not implement Policies of PutParameter.')
  const type = (Type ?? before?.spec.type) as Kind | undefined
  if (type === undefined) throw invalid('A parameter type is required when you create a parameter.')
  if (!KINDS.includes(type)) throw new ApiError('UnsupportedParameterType', `The parameter type ${type} is not supported.`)
  if (before && type !== before.spec.type) throw new ApiError('HierarchyTypeMismatchException', 'The type of a parameter cannot be changed.')
  if (KeyId !== undefined && KeyId !== KEY && KeyId !== `arn:${KEY}`)
    throw new ApiError('UnsupportedOperation', `Enclume does not implement keys other than ${KEY}.`)
  if (KeyId !== undefined && type !== 'SecureString') throw invalid('KeyId can only be given for a SecureString.')
  if (DataType !== 'text' && !(DataType === 'aws:ec2:image' && type === 'String'))
    throw invalid(`The following data type is not supported: ${DataType}`)
  const bytes = Buffer.byteLength(Value)
  const tier = Tier === 'Intelligent-Tiering' ? (bytes > LARGEST.Standard ? 'Advanced' : before?.spec.tier ?? 'Standard')
    : (Tier ?? before?.spec.tier ?? 'Standard') as keyof typeof LARGEST
  if (!(tier in LARGEST)) throw invalid(`The tier ${tier} is none.`)
  if (before?.spec.tier === 'Advanced' && tier === 'Standard')
    throw invalid('This parameter uses the advanced-parameter tier. You can\'t downgrade it.')
  if (bytes === 0)
    throw invalid("1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1")
  if (bytes > LARGEST[tier]) {
    throw invalid(tier === 'Advanced' ? 'Advanced tier parameters support a maximum parameter value of 8192 characters.'
      : 'Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the '
        + 'parameter to use the advanced-parameter tier.')
  }
  if ((input.Description?.length ?? 0) > 1024) throw invalid("Value at 'description' must have length less than or equal to 1024")
  const spec = { type, tier, dataType: DataType, description: input.Description ?? before?.spec.description, pattern: AllowedPattern }
  checkValue(spec, Value)
  return spec
}

export function readTags(given: readonly Sdk.Tag[] = [], before: Record<string, string> = {}): Record<string, string> {
  const tags = new Map(Object.entries(before))
  for (const { Key = '', Value = '' } of given) {
    if (Key === '' || Key.length > 128 || Value.length > 256 || /^aws:/i.test(Key)) throw invalid(`The tag ${JSON.stringify(Key)} is not allowed.`)
    tags.set(Key, Value)
  }
  if (tags.size > MOST_TAGS) throw new ApiError('TooManyTagsError', `The maximum number of tags (${MOST_TAGS}) has been reached for this resource.`)
  return Object.fromEntries(tags)
}

/** Room for one more version: the oldest goes, unless it is labelled. */
async function makeRoom(tx: Tx, versions: VersionRow[]): Promise<void> {
  if (versions.length < MOST_VERSIONS) return
  const [oldest] = versions
  if (oldest!.spec.labels.length > 0) {
    throw new ApiError('ParameterMaxVersionLimitExceeded',
      `The oldest version of the parameter, ${oldest!.spec.version}, has labels. Move them to another version first.`)
  }
  await tx.remove(oldest!)
}

async function put(sealer: Sealer, call: Asked): Promise<Sdk.PutParameterResult> {
  const { input, tx, account, region, now, caller } = call
  const name = input.Name!
  checkName(name)
  const id = idOf(call, name)
  const before = await tx.get<ParameterRow>(PARAMETER, id)
  if (before && !input.Overwrite) {
    throw new ApiError('ParameterAlreadyExists',
      'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.')
  }
  if (input.Overwrite && input.Tags?.length) throw invalid('Invalid request: tags and overwrite can\'t be used together.')
  const spec = specOf(call, before)
  if (!before && (await tx.list({ kind: PARAMETER, account, region })).length >= MOST[spec.tier]) {
    throw new ApiError('ParameterLimitExceeded', 'You have exceeded the number of parameters for this account.')
  }
  if (before) await makeRoom(tx, await versionsOf(tx, before))
  const version = (before?.spec.version ?? 0) + 1
  const made = { kind: VERSION, account, region, generation: 0, created: now.toISOString(), status: {}, tags: {} }
  const own = versionId(id, version)
  const value = spec.type === 'SecureString' ? sealer.seal('parameter', own, Buffer.from(input.Value!)).toString('base64') : input.Value!
  await tx.put<VersionRow>({ ...made, id: own, spec: { ...spec, version, parameter: id, value, labels: [], user: caller.principal.arn } }, 'created')
  const row: ParameterRow = before ?? { ...made, kind: PARAMETER, id, spec: { ...spec, name, version }, tags: readTags(input.Tags) }
  await tx.put<ParameterRow>({ ...row, spec: { ...spec, name, version } }, before ? 'changed' : 'created')
  return { Version: version, Tier: spec.tier }
}

async function remove(tx: Tx, row: ParameterRow): Promise<void> {
  for (const version of await versionsOf(tx, row)) await tx.remove(version)
  await tx.remove(row, 'deleted')
}

const goodLabel = (label: string): boolean => /^[A-Za-z_.-][\w.-]{0,99}$/.test(label) && !/^(aws|ssm)/i.test(label)

function checkTagged({ ResourceType }: { ResourceType?: string }): void {
  if (ResourceType !== 'Parameter')
    throw new ApiError('InvalidResourceType', `Enclume has no resource of the type ${ResourceType} in Systems Manager.`)
}
const tagged = async (call: Pick<Call<{ ResourceId?: string }>, 'tx' | 'account' | 'region' | 'input'>): Promise<ParameterRow> =>
  getParameter(call.tx, call, call.input.ResourceId!).catch(() => { throw new ApiError('InvalidResourceId',
    'The resource ID is not valid. Verify that you entered the '
    + 'correct ID and try again.') })

export const writeActions = (sealer: Sealer): Actions<typeof Sdk> => ({
  PutParameter: call => put(sealer, call),

  async DeleteParameter(call) {
    await remove(call.tx, await getParameter(call.tx, call, selectorOf(call.input.Name!, call).name))
    return {}
  },
  async DeleteParameters(call) {
    const { Names = [] } = call.input
    if (Names.length === 0 || Names.length > 10) throw invalid("Value at 'names' must have length between 1 and 10")
    const rows = await Promise.all(Names.map(name => call.tx.get<ParameterRow>(PARAMETER, idOf(call, name))))
    for (const row of rows) if (row) await remove(call.tx, row)
    return { DeletedParameters: Names.filter((_, i) => rows[i]), InvalidParameters: Names.filter((_, i) => !rows[i]) }
  },

  async LabelParameterVersion(call) {
    const { Name, Labels = [], ParameterVersion } = call.input
    const row = await getParameter(call.tx, call, Name!)
    const target = await getVersion(call.tx, row, { name: Name!, version: ParameterVersion, text: `:${ParameterVersion}` })
    const [good, InvalidLabels] = [Labels.filter(goodLabel), Labels.filter(label => !goodLabel(label))]
    if (new Set([...target.spec.labels, ...good]).size > MOST_LABELS) {
      throw new ApiError('ParameterVersionLabelLimitExceeded', `A parameter version can have maximum ${MOST_LABELS} labels.`)
    }
    for (const other of await versionsOf(call.tx, row)) {
      const kept = other.id === target.id ? [...new Set([...other.spec.labels, ...good])] : other.spec.labels.filter(label => !good.includes(label))
      if (kept.length !== other.spec.labels.length) await call.tx.put<VersionRow>({ ...other, spec: { ...other.spec, labels: kept } }, 'labelled')
    }
    return { InvalidLabels, ParameterVersion: target.spec.version }
  },
  async UnlabelParameterVersion(call) {
    const { Name, Labels = [], ParameterVersion } = call.input
    const row = await getParameter(call.tx, call, Name!)
    const target = await getVersion(call.tx, row, { name: Name!, version: ParameterVersion, text: `:${ParameterVersion}` })
    const { labels } = target.spec
    await call.tx.put<VersionRow>({ ...target, spec: { ...target.spec, labels: labels.filter(label => !Labels.includes(label)) } }, 'labelled')
    return { RemovedLabels: Labels.filter(label => labels.includes(label)), InvalidLabels: Labels.filter(label => !labels.includes(label)) }
  },

  async ListTagsForResource(call) {
    checkTagged(call.input)
    return { TagList: Object.entries((await tagged(call)).tags).map(([Key, Value]) => ({ Key, Value })) }
  },
  async AddTagsToResource(call) {
    checkTagged(call.input)
    const row = await tagged(call)
    await call.tx.put<ParameterRow>({ ...row, tags: readTags(call.input.Tags, row.tags) }, 'tagged')
    return {}
  },
  async RemoveTagsFromResource(call) {
    checkTagged(call.input)
    const row = await tagged(call)
    const tags = Object.fromEntries(Object.entries(row.tags).filter(([key]) => !call.input.TagKeys!.includes(key)))
    await call.tx.put<ParameterRow>({ ...row, tags }, 'tagged')
    return {}
  },
})
