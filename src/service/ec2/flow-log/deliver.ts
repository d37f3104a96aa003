/**
 * Once a minute: what the networks counted becomes records, and these objects in buckets.
 *
 * Invariant: a packet is in one record of a log, or in none (when the process dies between counting and delivery); a log whose bucket
 * can't be written says so and keeps no other from being written.
 */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { FlowCount } from '#engine/port'
import type { Context } from '#service/ec2/context'
import { flowLog, isAbout, type FlowLogRow } from '#service/ec2/flow-log/flow-log'
import { fieldsOf, linesOf, type Window } from '#service/ec2/flow-log/records'
import { networkInterface, type InterfaceRow } from '#service/ec2/network-interface/network-interface'

type Counted = { window: Window; flows: FlowCount[]; isPartial: boolean }
const MINUTE_MS = 60_000

/** Object keys: VPC User Guide, "Flow log files". */
export function keyOf({ id, account, region, spec }: FlowLogRow, end: Date, content: Buffer): string {
  const [date = '', time = ''] = end.toISOString().split('T')
  const [year, month, day] = date.split('-')
  const [hour = '', minute = ''] = time.split(':')
  const { hive, hourly } = spec.options
  const named = (name: string, value: string) => (hive ? `${name}=${value}` : value)
  const folders = [
    'AWSLogs', named('aws-account-id', account), named('aws-service', 'vpcflowlogs'), named('aws-region', region),
    named('year', year!), named('month', month!), named('day', day!), ...hourly ? [named('hour', hour)] : [],
  ]
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 8)
  const file = `${account}_vpcflowlogs_${region}_${id}_${date.replaceAll('-', '')}T${hour}${minute}Z_${hash}.log.gz`
  return [...spec.destination.prefix === '' ? [] : [spec.destination.prefix], ...folders, file].join('/')
}

/** A log's object for what was counted. */
export function contentOf({ spec }: FlowLogRow, interfaces: InterfaceRow[], { window, flows, isPartial }: Counted): Buffer {
  const names = fieldsOf(spec.format)
  const wanted = flows.filter(flow => spec.traffic === 'ALL' || (spec.traffic === 'ACCEPT') === flow.accepted)
  const lines = interfaces.flatMap(row => linesOf(names, { row, window, isPartial, flows: wanted.filter(flow => flow.port === row.id) }))
  return gzipSync([names.join(' '), ...lines, ''].join('\n'))
}

/** Logs of VPCs that are gone go too, by and by (API Reference, DeleteVpc: "eventually automatically removed"). */
export async function sweepFlowLogs({ store }: Pick<Context, 'store'>): Promise<void> {
  for (const row of await flowLog.everywhere(store)) {
    if (await store.get('vpc', row.spec.vpc)) continue
    await store.transact(async tx => {
      const now = await flowLog.find(tx, row.id)
      if (now) await tx.remove(now, 'deleted')
    })
  }
}

/** For the service's sweep. Remembers when each network was last read. */
export function flowLogSweeper({ store, engine, clock, log, deliver }: Pick<Context, 'store' | 'engine' | 'clock' | 'log' | 'deliver'>) {
  const last = new Map<string, Date>()

  async function write(row: FlowLogRow, interfaces: InterfaceRow[], counted: Counted): Promise<void> {
    const mine = interfaces.filter(own => isAbout(row, own))
    if (mine.length === 0) return
    const body = contentOf(row, mine, counted)
    const { bucket } = row.spec.destination
    const outcome = await deliver!({ account: row.account, region: row.region, bucket, key: keyOf(row, counted.window.end, body), body })
      .then(() => ({ delivery: 'SUCCESS' as const }), (error: Error) => {
        log.warn('flow-log.undelivered', { id: row.id, bucket, error })
        return { delivery: 'FAILED' as const, message: 'Access error' }
      })
    if (outcome.delivery === row.status.delivery) return
    await store.transact(async tx => {
      const now = await flowLog.find(tx, row.id)
      if (now) await tx.put<FlowLogRow>({ ...now, status: outcome }, 'delivered')
    })
  }

  return async (): Promise<void> => {
    if (!deliver) return
    const rows = await flowLog.everywhere(store)
    const vpcs = new Set(rows.map(row => row.spec.vpc))
    for (const id of last.keys()) if (!vpcs.has(id)) last.delete(id)
    for (const vpc of vpcs) {
      const found = await engine.networks.flows(vpc)
      if (found === 'unknown' || found === 'absent') continue
      const end = clock()
      const before = last.get(vpc)
      const start = before && before < end ? before : new Date(end.getTime() - MINUTE_MS)
      last.set(vpc, end)
      const interfaces = (await networkInterface.everywhere(store)).filter(row => row.spec.vpc === vpc)
      const counted: Counted = { ...found, window: { start, end } }
      for (const row of rows) if (row.spec.vpc === vpc) await write(row, interfaces, counted)
    }
  }
}
