/** AWS CloudTrail: the event history. There are no trails, which would copy it elsewhere. */
import type * as Sdk from '@aws-sdk/client-cloudtrail'
import type { Actions } from '#kit/action'
import { ApiError, nullMember } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import type { History, Question } from '#service/cloudtrail/history'
import type { Service } from '#service/service'

const sdk = await loadSdk('cloudtrail')

const COLUMNS = new Map<string, NonNullable<Question['where']>['column']>(Object.entries({
  EventId: 'id', EventName: 'name', ReadOnly: 'read_only', Username: 'user', ResourceName: 'resources', EventSource: 'source', AccessKeyId: 'key',
}))
const MOST = 50

const actions = (history: () => History): Actions<typeof Sdk> => ({
  LookupEvents: {
    async look({ input, account, region }) {
      const { LookupAttributes: attributes = [], StartTime, EndTime, MaxResults = MOST, NextToken } = input
      if (input.EventCategory) throw new ApiError('UnsupportedOperation', 'Enclume does not implement EventCategory of LookupEvents.')
      if (attributes.length > 1) throw new ApiError('InvalidLookupAttributesException', 'At most one lookup attribute can be specified.')
      const [attribute] = attributes
      const column = attribute && COLUMNS.get(attribute.AttributeKey!)
      if (attribute && !column) throw new ApiError('UnsupportedOperation', `Enclume does not look events up by ${attribute.AttributeKey}.`)
      if (StartTime && EndTime && StartTime > EndTime) throw new ApiError('InvalidTimeRangeException', 'The start time is after the end time.')
      if (!Number.isInteger(MaxResults) || MaxResults < 1 || MaxResults > MOST)
        throw new ApiError('InvalidMaxResultsException', `The maximum number of results is 1 to ${MOST}.`)
      if (NextToken !== undefined && !/^\d{1,15}$/.test(NextToken)) throw new ApiError('InvalidNextTokenException', 'The token is not valid.')
      const found = history().find({
        account, region, before: NextToken === undefined ? Number.MAX_SAFE_INTEGER : Number(NextToken), from: StartTime?.getTime() ?? 0,
        to: EndTime?.getTime() ?? Number.MAX_SAFE_INTEGER, limit: MaxResults + 1, ...(column && { where: { column,
          value: attribute.AttributeValue ?? '' } }),
      })
      const given = found.slice(0, MaxResults)
      return {
        Events: given.map(call => ({
          EventId: call.id, EventName: call.name, ReadOnly: call.read_only, AccessKeyId: call.key || undefined, EventTime: new Date(call.time),
          EventSource: call.source, Username: call.user, CloudTrailEvent: call.detail,
          Resources: call.resources.split('\n').filter(Boolean).map(ResourceName => ({ ResourceName })),
        })),
        NextToken: found.length > given.length ? String(given.at(-1)!.seq) : undefined,
      }
    },
  },
})

export const cloudtrail = (history: () => History): Service => ({
  sdk, drivers: [],
  definition: { id: 'cloudtrail', operations: operationsOf(sdk), actions: actions(history), missing: nullMember('InvalidParameterException') },
})
