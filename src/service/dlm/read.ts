/** Reads a policy's details; what Enclume does not do is refused by name. API Reference, PolicyDetails. */
import type { PolicyDetails, Schedule as Asked, Tag } from '@aws-sdk/client-dlm'
import { ApiError } from '#kit/error'
import { readTags, type Tags } from '#kit/tags'
import type { Schedule, Spec } from '#service/dlm/policy'

export const invalid = (message: string): ApiError => new ApiError('InvalidRequestException', message)
const unsupported = (what: string) => new ApiError('UnsupportedOperation', `Enclume does not implement ${what} of lifecycle policies.`)

/** Members that are there, besides those that are read. */
function refuseOthers(what: string, given: object, read: readonly string[]): void {
  const asked = (value: unknown) => value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)
  const other = Object.entries(given).find(([name, value]) => asked(value) && !read.includes(name))
  if (other) throw unsupported(`${other[0]} in ${what}`)
}

const HOURS = [1, 2, 3, 4, 6, 8, 12, 24]
const UNIT_DAYS: Record<string, number> = { DAYS: 1, WEEKS: 7, MONTHS: 30, YEARS: 365 }
const tagsOf = (tags: Tag[] = []): Tags => {
  try {
    return readTags(tags)
  } catch (error) {
    throw Object.assign(invalid((error as Error).message), { cause: error })
  }
}

function retention({ Count: count, Interval: interval, IntervalUnit: unit }: NonNullable<Asked['RetainRule']>): Pick<Schedule, 'keep' | 'keepMs'> {
  if ((count === undefined) === (interval === undefined)) throw invalid('RetainRule needs either a Count or an Interval.')
  if (count !== undefined) {
    if (!Number.isInteger(count) || count < 1 || count > 1000) throw invalid('The Count of RetainRule must be from 1 to 1000.')
    return { keep: count }
  }
  const days = UNIT_DAYS[unit ?? '']
  if (days === undefined || !Number.isInteger(interval) || interval! < 1) {
    throw invalid('RetainRule needs an Interval of 1 or more and its IntervalUnit.')
  }
  return { keepMs: interval! * days * 86_400_000 }
}

function scheduleOf(given: Asked): Schedule {
  refuseOthers('a schedule', given, ['Name', 'CopyTags', 'TagsToAdd', 'CreateRule', 'RetainRule'])
  const { Name: name, CreateRule: create, RetainRule: retain } = given
  if (!name || name.length > 120) throw invalid('A schedule needs a Name of up to 120 characters.')
  if (!create || !retain) throw invalid(`The schedule '${name}' needs a CreateRule and a RetainRule.`)
  refuseOthers('a CreateRule', create, ['Interval', 'IntervalUnit', 'Times', 'Location'])
  if (create.Location !== undefined && create.Location !== 'CLOUD') throw unsupported(`Location ${create.Location}`)
  if (create.IntervalUnit !== 'HOURS' || !HOURS.includes(create.Interval!)) throw invalid(`Interval must be one of ${HOURS.join(', ')}, in HOURS.`)
  const times = create.Times ?? ['09:00']
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(times[0] ?? '') ?? []
  if (times.length !== 1 || hours === undefined) throw invalid('Times must be one time of the form hh:mm.')
  return {
    name, intervalHours: create.Interval!, at: Number(hours) * 60 + Number(minutes), ...retention(retain),
    copyTags: given.CopyTags ?? false, tags: tagsOf(given.TagsToAdd),
  }
}

export function readDetails(details: PolicyDetails | undefined): Pick<Spec, 'of' | 'targets' | 'schedules' | 'details'> {
  if (!details) throw invalid('PolicyDetails must be given.')
  const { PolicyType: type = 'EBS_SNAPSHOT_MANAGEMENT', ResourceTypes: kinds = [], ResourceLocations: places = [],
    PolicyLanguage: language } = details
  if (type !== 'EBS_SNAPSHOT_MANAGEMENT') throw unsupported(`PolicyType ${type}`)
  if (language !== undefined && language !== 'STANDARD') throw unsupported(`PolicyLanguage ${language}`)
  if (places.some(place => place !== 'CLOUD')) throw unsupported('ResourceLocations other than CLOUD')
  refuseOthers('PolicyDetails', details, ['PolicyType', 'ResourceTypes', 'ResourceLocations', 'TargetTags', 'Schedules', 'PolicyLanguage'])
  const [of] = kinds
  if (kinds.length !== 1 || (of !== 'VOLUME' && of !== 'INSTANCE')) throw invalid('ResourceTypes must be VOLUME or INSTANCE.')
  const targets = tagsOf(details.TargetTags)
  if (Object.keys(targets).length === 0) throw invalid('TargetTags must be given.')
  const schedules = (details.Schedules ?? []).map(scheduleOf)
  if (schedules.length < 1 || schedules.length > 4) throw invalid('A policy has 1 to 4 schedules.')
  if (new Set(schedules.map(({ name }) => name)).size < schedules.length) throw invalid('Schedules must have different names.')
  return { of, targets, schedules, details }
}
