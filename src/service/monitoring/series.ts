/**
 * Where metrics are kept: one row for each piece of time that there is data of, in a database of their own.
 *
 * Invariants: what is not known has no row. A piece of time is kept at one length alone, which grows with its age as CloudWatch's does
 * (API Reference, GetMetricStatistics: 3 hours by seconds, 15 days by minutes, 63 days by 5 minutes, 455 days by hours); all of it together
 * has a bound, beyond which the oldest goes first. What was put is in the file when `put` returns, and outlives the process.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '#base/clock'
import { openDatabase } from '#base/database'
import type { Place } from '#kit/action'
import { UNITS, type Metric, type Point, type Weighted } from '#service/monitoring/metric'
import { combine, windows } from '#service/monitoring/statistics'

const HOUR = 3600
const DAY = 24 * HOUR
export const KEPT = 455 * DAY
/** From which age on data is kept by pieces of which length. */
const LEVELS = [{ after: 3 * HOUR, length: 60 }, { after: 15 * DAY, length: 300 }, { after: 63 * DAY, length: HOUR }] as const
const MOST_BYTES = 1024 ** 3
/** Metrics that are looked at before others get their turn. */
const AT_ONCE = 200
/** A metric's newest time is not written for each of its points. */
const NEWEST_EACH = 600

const SCHEMA = `create table if not exists metric (id integer primary key, account text not null, region text not null, namespace text not null,
    name text not null, dimensions text not null, newest integer not null, fine integer not null,
    unique (account, region, namespace, name, dimensions)) strict;
  create table if not exists point (metric integer not null, time integer not null, unit integer not null, count real not null, sum real not null,
    least real, most real, value text, primary key (metric, time, unit)) strict, without rowid;
  create table if not exists mark (length integer primary key, time integer not null) strict;`

export type Entry = { metric: Metric; point: Point; /** By seconds, while it is young. */ fine?: boolean }
export type Known = Metric & { id: number; newest: number }
export type Series = ReturnType<typeof openSeries>
type Kept = { time: number; unit: number; count: number; sum: number; least: number | null; most: number | null; value: string | null }

const pointOf = ({ time, unit, count, sum, least, most, value }: Kept): Point => ({
  time, unit: UNITS[unit] ?? 'None', count, sum, least: least ?? sum, most: most ?? sum,
  ...(value !== null && { values: JSON.parse(value) as Weighted }),
})
const unitOf = (unit: string): number => Math.max(0, (UNITS as readonly string[]).indexOf(unit))

export function openSeries({ file, clock, mostBytes = MOST_BYTES }: { file: string; clock: Clock; mostBytes?: number }) {
  const db = openDatabase(file, { steps: [SCHEMA], sync: 'normal' })
  const sql = {
    find: db.prepare('select id, newest, fine from metric where account = ? and region = ? and namespace = ? and name = ? and dimensions = ?'),
    add: db.prepare('insert into metric (account, region, namespace, name, dimensions, newest, fine) values (?,?,?,?,?,0,0) returning id'),
    renew: db.prepare('update metric set newest = ?, fine = ? where id = ?'),
    one: db.prepare('select * from point where metric = ? and time = ? and unit = ?'),
    write: db.prepare('insert or replace into point (metric, time, unit, count, sum, least, most, value) values (?,?,?,?,?,?,?,?)'),
    span: db.prepare('select * from point where metric = ? and time >= ? and time < ? order by time'),
    drop: db.prepare('delete from point where metric = ? and time >= ? and time < ?'),
    any: db.prepare('select 1 from point where metric = ? limit 1'),
    forget: db.prepare('delete from metric where id = ?'),
    mark: db.prepare('select time from mark where length = ?'),
    setMark: db.prepare('insert or replace into mark (length, time) values (?,?)'),
  }
  const seconds = () => Math.floor(clock().getTime() / 1000)
  const keyOf = ({ account, region, namespace, name, dimensions }: Metric) =>
    [account, region, namespace, name, JSON.stringify(dimensions.map(one => [one.name, one.value]))] as const
  const find = (metric: Metric) => sql.find.get(...keyOf(metric)) as { id: number; newest: number; fine: number } | undefined

  function together<T>(work: () => T): T {
    db.exec('begin immediate')
    try {
      const done = work()
      db.exec('commit')
      return done
    } catch (error) {
      db.exec('rollback')
      throw error
    }
  }
  const write = (id: number, { time, unit, count, sum, least, most, values }: Point) => {
    const single = least === sum && most === sum
    sql.write.run(id, time, unitOf(unit), count, sum, single ? null : least, single ? null : most, values ? JSON.stringify(values) : null)
  }

  function putOne({ metric, point, fine = false }: Entry): void {
    const known = find(metric) ?? { id: (sql.add.get(...keyOf(metric)) as { id: number }).id, newest: 0, fine: 0 }
    // What comes late is kept as long a piece as what came in time.
    const length = fine && point.time >= seconds() - LEVELS[0].after ? 1 : 60
    const time = Math.floor(point.time / length) * length
    const there = sql.one.get(known.id, time, unitOf(point.unit)) as Kept | undefined
    write(known.id, there ? combine([pointOf(there), point], time) : { ...point, time })
    const becomesFine = length === 1 && !known.fine
    if (becomesFine || time - known.newest >= NEWEST_EACH) sql.renew.run(Math.max(time, known.newest), known.fine || becomesFine ? 1 : 0, known.id)
  }

  /** Gives up the hour before `to` of each metric that has shorter pieces in it. */
  async function shorten({ length, from, to, fine }: { length: number; from: number; to: number; fine: boolean }): Promise<void> {
    const ids = db.prepare(`select id from metric ${fine ? 'where fine = 1' : ''}`).all().map(row => Number(row.id))
    for (let i = 0; i < ids.length; i += AT_ONCE) {
      together(() => {
        for (const id of ids.slice(i, i + AT_ONCE)) shortenOne(id, { length, from, to })
      })
      await turn()
    }
    sql.setMark.run(length, to)
  }
  function shortenOne(id: number, { length, from, to }: { length: number; from: number; to: number }): void {
    const points = (sql.span.all(id, from, to) as unknown as Kept[]).map(pointOf)
    if (points.length === 0) return
    const units = Map.groupBy(points, one => one.unit)
    const fewer = [...units.values()].flatMap(among => windows(among, { from: 0, period: length }))
    if (fewer.length === points.length && points.every(({ time }) => time % length === 0)) return
    sql.drop.run(id, from, to)
    for (const point of fewer) write(id, point)
  }

  /** Forgets what is older than a time, and metrics of which nothing is left. */
  async function forget(before: number): Promise<void> {
    const ids = db.prepare('select id, newest from metric').all() as { id: number; newest: number }[]
    for (let i = 0; i < ids.length; i += AT_ONCE) {
      together(() => {
        for (const { id, newest } of ids.slice(i, i + AT_ONCE)) {
          sql.drop.run(id, 0, before)
          if (newest + NEWEST_EACH < before && !sql.any.get(id)) sql.forget.run(id)
        }
      })
      await turn()
    }
  }
  const pragma = (name: string): number => Number(Object.values(db.prepare(`pragma ${name}`).get()!)[0])
  const bytes = () => (pragma('page_count') - pragma('freelist_count')) * pragma('page_size')

  return {
    /** All or none of them. What is there of the same piece of time is added to. */
    put(entries: readonly Entry[]): void {
      together(() => { for (const entry of entries) putOne(entry) })
    },
    /** A metric's points from a time until before another, in order; those of one unit, where that is asked. */
    read(metric: Metric, { from, to, unit }: { from: number; to: number; unit?: string | undefined }): Point[] {
      const known = find(metric)
      const points = known ? (sql.span.all(known.id, from, to) as unknown as Kept[]).map(pointOf) : []
      return unit === undefined ? points : points.filter(one => one.unit === unit)
    },
    /** Metrics of a place with data since a time, after an id, in order of ids. */
    list({ account, region }: Place, { since, after, namespace,
      name }: { since: number; after: number; namespace?: string; name?: string }): Known[] {
      const rows = db.prepare(`select * from metric where account = ? and region = ? and id > ? and newest >= ?
        and (? is null or namespace = ?) and (? is null or name = ?) order by id`)
        .all(account, region, after, since - NEWEST_EACH, namespace ?? null, namespace ?? null, name ?? null, name ?? null)
      return rows.map(row => ({
        id: Number(row.id), newest: Number(row.newest), account, region, namespace: String(row.namespace), name: String(row.name),
        dimensions: (JSON.parse(String(row.dimensions)) as [string, string][]).map(([key, value]) => ({ name: key, value })),
      }))
    },
    /** Makes what became old shorter, and forgets what is too old or too much. Cheap when it was done within the hour. */
    async age(): Promise<void> {
      for (const { after, length } of LEVELS) {
        const to = Math.floor((seconds() - after) / HOUR) * HOUR
        const from = Number((sql.mark.get(length) as { time: number } | undefined)?.time ?? 0)
        if (to > from) await shorten({ length, from, to, fine: length === 60 })
      }
      const done = Number((sql.mark.get(0) as { time: number } | undefined)?.time ?? 0)
      if (seconds() - done < HOUR) return
      for (let kept = KEPT; ; kept = Math.floor(kept * 0.8)) {
        await forget(seconds() - kept)
        if (bytes() <= mostBytes || kept < HOUR) break
      }
      sql.setMark.run(0, seconds())
    },
    /** How much of the file is used. */
    bytes,
    close: () => db.close(),
  }
}
