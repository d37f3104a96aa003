/**
 * A parameter and its versions: what they are, what they are called, where they are kept.
 *
 * Invariants: a name is one parameter's in its account and Region (it is the record's id); of a version a SecureString's
 * value stands in the database only sealed, with a key that is not there.
 */
import type { Place } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Reader, Row } from '#store/store'

export type Kind = 'String' | 'StringList' | 'SecureString'
export type ParameterSpec = {
  name: string; type: Kind; tier: 'Standard' | 'Advanced'; dataType: string; description?: string; pattern?: string
  /** The newest version, and how often one was made. */
  version: number
}
export type VersionSpec = Omit<ParameterSpec, 'name'> & { parameter: string; value: string; labels: string[]; user: string }
export type ParameterRow = Row<ParameterSpec, object>
export type VersionRow = Row<VersionSpec, object>

export const PARAMETER = 'ssm-parameter'
export const VERSION = 'ssm-parameter-version'
export const MOST_VERSIONS = 100
const MOST_LEVELS = 15
const LONGEST = 1011

export const idOf = ({ account, region }: Place, name: string): string => `${account}/${region}/${name}`
/** Ids sort as versions count. */
export const versionId = (parameter: string, version: number): string => `${parameter}#${String(version).padStart(10, '0')}`
export const arnOf = ({ account, region }: Place, name: string): string =>
  `arn:aws:ssm:${region}:${account}:parameter${name.startsWith('/') ? '' : '/'}${name}`

export const invalid = (message: string): ApiError => new ApiError('ValidationException', message)
export const notFound = (name: string): ApiError => new ApiError('ParameterNotFound', `Parameter ${name} not found.`)

/** SSM User Guide, "Requirements and constraints for parameter names". */
export function checkName(name: string): void {
  if (name.length > LONGEST || !/^[\w.\-/]+$/.test(name)) {
    throw invalid('Parameter name: can only include letters, numbers and the following symbols: a-zA-Z0-9_.- and / to delineate a hierarchy')
  }
  if (/^\/?(aws|ssm)/i.test(name)) {
    const reserved = /^\/?aws/i.test(name) ? 'aws' : 'ssm'
    throw name.startsWith('/aws') ? new ApiError('AccessDeniedException', `No access to reserved parameter name: ${name}.`)
      : invalid(`Parameter name: can't be prefixed with "${reserved}" (case-insensitive).`)
  }
  if (name.includes('/') && !name.startsWith('/')) throw invalid('Parameter name must be a fully qualified name.')
  if (name.endsWith('/') || name.includes('//')) throw invalid('Parameter name must not end in a slash or hold an empty level.')
  if (name.split('/').length - 1 > MOST_LEVELS) {
    throw new ApiError('HierarchyLevelLimitExceededException', `Parameter name must not have more than ${MOST_LEVELS} levels.`)
  }
}

export type Selector = { name: string; version?: number; label?: string; text?: string }

/** `name`, `name:3`, `name:label`, or any of them as an ARN of this place. */
export function selectorOf(text: string, place: Place): Selector {
  const arn = /^arn:aws[\w-]*:ssm:([^:]*):(\d*):parameter(\/.*)$/.exec(text)
  if (arn && (arn[1] !== place.region || (arn[2] !== '' && arn[2] !== place.account))) {
    throw new ApiError('UnsupportedOperation', 'Enclume does not implement parameters of other accounts and Regions.')
  }
  const rest = arn ? arn[3]! : text
  const colon = rest.indexOf(':')
  if (colon < 0) return { name: rest }
  const [name, end] = [rest.slice(0, colon), rest.slice(colon + 1)]
  if (end === '' || end.includes(':')) throw invalid(`Invalid parameter name ${text}.`)
  return { name, text: `:${end}`, ...(/^\d{1,9}$/.test(end) ? { version: Number(end) } : { label: end }) }
}

/** An ARN's parameter may be called with or without the slash before its name. */
export async function findParameter(reader: Reader, place: Place, name: string): Promise<ParameterRow | undefined> {
  return await reader.get<ParameterRow>(PARAMETER, idOf(place, name))
    ?? (/^\/[^/]+$/.test(name) ? reader.get<ParameterRow>(PARAMETER, idOf(place, name.slice(1))) : undefined)
}

export async function getParameter(reader: Reader, place: Place, name: string): Promise<ParameterRow> {
  const row = await findParameter(reader, place, name)
  if (!row) throw notFound(name)
  return row
}

/** A parameter's versions, the oldest first. */
export async function versionsOf(reader: Reader, { id }: ParameterRow): Promise<VersionRow[]> {
  const rows = await reader.list<VersionRow>({ kind: VERSION, after: `${id}#`, limit: MOST_VERSIONS + 1 })
  return rows.filter(row => row.spec.parameter === id)
}

/** The version that is asked for. */
export async function getVersion(reader: Reader, row: ParameterRow, { version, label, name, text }: Selector): Promise<VersionRow> {
  const found = label === undefined ? await reader.get<VersionRow>(VERSION, versionId(row.id, version ?? row.spec.version))
    : (await versionsOf(reader, row)).find(one => one.spec.labels.includes(label))
  if (!found) throw new ApiError('ParameterVersionNotFound',
    `Systems Manager could not find version ${text?.slice(1)} of ${name}. Verify the version and try again.`)
  return found
}

/** Every parameter of a place by name. */
export const parametersIn = async (reader: Reader, { account, region }: Place): Promise<ParameterRow[]> =>
  (await reader.list<ParameterRow>({ kind: PARAMETER, account, region })).sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1))
