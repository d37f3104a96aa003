/** CloudTrail's event history: who called what. */
import { call, type Input } from '../api/call'
import { Document } from '../parts/IamTabs'
import { column, type Column, type Item, type Resource } from './kinds'

const readOnly: Column = { id: 'ReadOnly', label: 'events.readOnly', value: item => item.ReadOnly === 'true' }

/** The newest ones; older ones are for the API, which looks them up by a time or an attribute. */
const MOST = 200

async function newestOf(asked: Input): Promise<Item[]> {
  const found: Item[] = []
  let NextToken: string | undefined
  do {
    const answer = await call('cloudtrail', 'LookupEvents', { ...asked, NextToken })
    found.push(...answer.Events)
    NextToken = answer.NextToken
  } while (NextToken && found.length < MOST)
  return found
}

const CHANGES = { LookupAttributes: [{ AttributeKey: 'ReadOnly', AttributeValue: 'false' }] }
/** Those that changed something, and those of any kind: looking, as this console does all the time, does not push the others out. */
async function newest(): Promise<Item[]> {
  const found = await Promise.all([CHANGES, {}].map(newestOf))
  return [...new Map(found.flat().map(one => [one.EventId, one])).values()]
}

export const resources: Resource[] = [
  {
    path: '/cloudtrail/events',
    service: 'cloudtrail',
    title: 'menu.events',
    empty: ['events.empty', 'events.emptyHint'],
    operation: 'LookupEvents',
    member: 'Events',
    load: newest,
    id: item => item.EventId,
    name: item => item.EventName,
    // Looking is an event too: a list that followed would never rest.
    kinds: [],
    columns: [
      column('EventName', 'events.name', { width: 240 }),
      column('EventTime', 'events.time', { kind: 'date' }),
      column('Username', 'f.user'),
      column('EventSource', 'events.source', { width: 220 }),
      { id: 'resources', label: 'events.resources', width: 280, value: item => item.Resources?.map((r: Item) => r.ResourceName).join(', ') },
      readOnly,
      column('EventId', 'events.id', { hidden: true }),
    ],
    sorted: 'EventTime',
    // As the AWS console begins.
    filter: { column: readOnly, value: 'value.no' },
    tabs: [{ id: 'record', label: 'events.record', content: item => <Document title="events.record" document={item.CloudTrailEvent} /> }],
  },
]
