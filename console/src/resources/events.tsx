/** CloudTrail's event history: who called what. */
import { call } from '../api/call'
import { Document } from '../parts/IamTabs'
import { column, type Item, type Resource } from './kinds'

/** The newest ones; older ones are for the API, which looks them up by a time or an attribute. */
const MOST = 200

async function newest(): Promise<Item[]> {
  const found: Item[] = []
  let NextToken: string | undefined
  do {
    const answer = await call('cloudtrail', 'LookupEvents', { NextToken })
    found.push(...answer.Events)
    NextToken = answer.NextToken
  } while (NextToken && found.length < MOST)
  return found
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
      column('ReadOnly', 'events.readOnly'),
      column('EventId', 'events.id', { hidden: true }),
    ],
    sorted: 'EventTime',
    tabs: [{ id: 'record', label: 'events.record', content: item => <Document title="events.record" document={item.CloudTrailEvent} /> }],
  },
]
